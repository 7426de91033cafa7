package kerneltest

import (
	"fmt"

	"artel/dtype"
	"artel/tensor"
)

// halves says which tensors of an op lie in memory as BF16.
type halves uint8

const (
	leftHalf   halves = 1 << iota // A, X or DY
	rightHalf                     // B, or DY of a weight gradient
	outHalf                       // what is only an operand afterwards: C, A, DH
	hiddenHalf                    // H
)

// halvesOf lists the combinations of an op beyond none, for backends with Halves.
func halvesOf(op string) []halves {
	switch op {
	case "GEMM", "GradW", "CellGram":
		return []halves{leftHalf, rightHalf, leftHalf | rightHalf}
	case "GroupedGEMM":
		return []halves{leftHalf, rightHalf, outHalf, leftHalf | rightHalf | outHalf}
	case "GroupedGated", "GroupedGatedGrad":
		return []halves{leftHalf, rightHalf, outHalf, hiddenHalf, leftHalf | outHalf | hiddenHalf, leftHalf | rightHalf | outHalf | hiddenHalf}
	case "Gated", "GatedGrad":
		return []halves{outHalf, hiddenHalf, outHalf | hiddenHalf}
	}
	return nil
}

// run tests the op, and where the backend reads and writes BF16 every combination of such tensors, each on its share of the cases.
func (e *opTest) run(s *suite) {
	e.test(s)
	if !s.b.Halves {
		return
	}
	all := halvesOf(e.op)
	for i, h := range all {
		s.halves, s.share, s.shares, s.cases = h, i, len(all), 0
		e.test(s)
	}
}

// half is a source of tensors: number, as BF16 where the combination of the suite has all of h.
func (c *testCase) half(h halves, number func(shape ...int) tensor.Tensor) func(shape ...int) tensor.Tensor {
	if c.s.halves&h == 0 {
		return number
	}
	return func(shape ...int) tensor.Tensor {
		c.real = dtype.BF16
		defer func() { c.real = c.s.b.Float }()
		return number(shape...)
	}
}

// String lists the tensors.
func (h halves) String() string {
	s := ""
	for i, name := range []string{" left", " right", " out", " hidden"} {
		if h>>i&1 != 0 {
			s += name
		}
	}
	return fmt.Sprintf(" BF16:%s", s)
}

// onFloats runs the op with the BF16 tensors of the case as Float, except those that the op writes and reads again.
func (c *testCase) onFloats(args any) []*tensor.Storage {
	c.s.t.Helper()
	c.widened = true
	defer func() { c.widened = false }()
	return c.onBackend(args)
}

// image is the type in which the op gets a buffer.
func (c *testCase) image(b *buffer) dtype.Type {
	if c.widened && b.st.Type == dtype.BF16 && !b.again {
		return c.s.b.Float
	}
	return b.st.Type
}
