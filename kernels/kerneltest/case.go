package kerneltest

import (
	"fmt"
	"math"

	"artel/dtype"
	"artel/rng"
	"artel/tensor"
)

var nan = math.NaN()

// testCase is one call of an op: its memory, and which parts of it the op may write.
type testCase struct {
	s     *suite
	name  string
	rnd   rng.Stream
	gap   int        // elements between rows
	typed bool       // the oracle works on the same element types instead of float64
	real  dtype.Type // of float tensors
	bufs  []*buffer

	widened bool // the run under way gets BF16 tensors as Float
}

// buffer is one storage of a case.
type buffer struct {
	st    *tensor.Storage // what it holds before the op, on the host
	role  []role          // by element
	k     int             // tolerance: reduction length, 0 for exact
	again bool            // the op reads what it wrote here
	least float64         // least scale of outputs, for sums of few rows that may cancel
}

// role is what an op may do to an element.
type role uint8

const (
	keeps     role = iota // must not change
	output                // compared with the oracle
	undefined             // may hold anything
)

// The pattern of elements that nobody should touch: large, so that an op that reads it is far off.
const (
	guardFloat = 0x1.2b3c4p100
	guardInt   = 0x5eed5eed
)

// newCase starts a case whose matrices have gap elements between their rows.
func (s *suite) newCase(gap int, format string, args ...any) *testCase {
	s.cases++
	c := &testCase{s: s, name: fmt.Sprintf(format, args...), rnd: s.stream.At(s.cases), gap: gap, real: s.b.Float}
	if s.halves != 0 {
		c.name += s.halves.String()
	}
	if gap > 0 {
		c.name += fmt.Sprintf(" gap=%d", gap)
	}
	return c
}

// alloc returns a tensor inside guard words. Rows of rank 2 and more are gap elements apart; with a gap the first element is
// not aligned either.
func (c *testCase) alloc(d dtype.Type, shape ...int) tensor.Tensor {
	stride, n := make([]int, len(shape)), 1
	for i := len(shape) - 1; i >= 0; i-- {
		stride[i] = n
		n *= shape[i]
		if i > 0 {
			n += c.gap
		}
	}
	lead := 16 + c.gap
	st := tensor.NewHost(d, lead+n+19)
	c.bufs = append(c.bufs, &buffer{st: st, role: make([]role, st.Len)})
	all := tensor.Of(st, 0, st.Len)
	guard := float64(guardFloat)
	if d == dtype.I32 {
		guard = guardInt
	}
	set := setter(all)
	for i := 0; i < st.Len; i++ {
		set(i, guard)
	}
	return tensor.Of(st, lead, 0).Strided(shape, stride)
}

// fill sets the elements of x, in row-major order.
func (c *testCase) fill(x tensor.Tensor, f func(i int) float64) tensor.Tensor {
	set, n := setter(x), 0
	eachPosition(x, func(at int) {
		set(at, f(n))
		n++
	})
	return x
}

// normal draws a number with mean 0 and variance 1 from a bell shape of limited width: the sum of four uniform ones.
func (c *testCase) normal() float64 {
	b := c.rnd.Block(c.rnd.Hi, c.rnd.Lo)
	c.rnd.Lo++
	sum := float64(b[0]) + float64(b[1]) + float64(b[2]) + float64(b[3])
	return (sum*0x1p-32 - 2) * math.Sqrt(3)
}

// float returns a float tensor of normal numbers.
func (c *testCase) float(shape ...int) tensor.Tensor {
	return c.fill(c.alloc(c.real, shape...), func(int) float64 { return c.normal() })
}

// small returns a float tensor of integers of [-4,4]: sums of their products are exact in every order.
func (c *testCase) small(shape ...int) tensor.Tensor {
	return c.fill(c.alloc(c.real, shape...), func(int) float64 { return float64(c.rnd.Intn(9) - 4) })
}

// floats returns a float tensor with the given elements.
func (c *testCase) floats(f func(i int) float64, shape ...int) tensor.Tensor {
	return c.fill(c.alloc(c.real, shape...), f)
}

// double is floats for F64.
func (c *testCase) double(f func(i int) float64, shape ...int) tensor.Tensor {
	return c.fill(c.alloc(dtype.F64, shape...), f)
}

// ints returns an I32 tensor with the given elements.
func (c *testCase) ints(f func(i int) int, shape ...int) tensor.Tensor {
	return c.fill(c.alloc(dtype.I32, shape...), func(i int) float64 { return float64(f(i)) })
}

// list returns an I32 vector.
func (c *testCase) list(v []int) tensor.Tensor {
	return c.ints(func(i int) int { return v[i] }, len(v))
}

// out returns an output in the backend's float type with the tolerance of a sum of k terms: numbers to be added to when
// acc, and otherwise NaN.
func (c *testCase) out(acc bool, k int, shape ...int) tensor.Tensor {
	if acc && k == 0 {
		return c.output(c.small(shape...), k)
	}
	if acc {
		return c.output(c.float(shape...), k)
	}
	return c.output(c.floats(func(int) float64 { return math.NaN() }, shape...), k)
}

// total returns an F64 output that is added to.
func (c *testCase) total(k int, shape ...int) tensor.Tensor {
	return c.output(c.double(func(int) float64 { return c.rnd.Float64() }, shape...), k)
}

// outInt returns an I32 output, filled with a value that is no result.
func (c *testCase) outInt(shape ...int) tensor.Tensor {
	return c.output(c.ints(func(int) int { return -7777 }, shape...), 0)
}

// output declares that the op writes x, with the tolerance of a sum of k terms.
func (c *testCase) output(x tensor.Tensor, k int) tensor.Tensor {
	c.buffer(x).k = k
	return c.mark(x, output)
}

// least says that outputs in x are sums of terms of at least this size, where one row alone may be much smaller by chance.
func (c *testCase) least(x tensor.Tensor, scale float64) { c.buffer(x).least = scale }

// mark sets the role of the elements of x.
func (c *testCase) mark(x tensor.Tensor, r role) tensor.Tensor {
	b := c.buffer(x)
	eachPosition(x, func(at int) { b.role[x.Offset()+at] = r })
	return x
}

// buffer returns the buffer that x lies in.
func (c *testCase) buffer(x tensor.Tensor) *buffer {
	for _, b := range c.bufs {
		if b.st == x.Storage() {
			return b
		}
	}
	panic("kerneltest: a tensor of another case")
}

// act returns the index that stacks tasks blocks of n rows: row c belongs to row c mod n; none for one block.
func (c *testCase) act(n, tasks int) tensor.Tensor {
	if tasks == 1 {
		return tensor.Tensor{}
	}
	return c.ints(func(i int) int { return i % n }, n*tasks)
}

// eachPosition calls f with the position of every element of x relative to the first, in row-major order.
func eachPosition(x tensor.Tensor, f func(at int)) {
	if x.Rank() == 0 {
		f(0)
		return
	}
	for i := 0; i < x.Dim(0); i++ {
		at := i * x.Stride(0)
		if x.Rank() == 1 {
			f(at)
		} else {
			eachPosition(x.At(i), func(p int) { f(at + p) })
		}
	}
}

// setter returns the function that rounds v to the type of x and stores it at position i.
func setter(x tensor.Tensor) func(i int, v float64) {
	switch x.Type {
	case dtype.F32:
		s := x.F32()
		return func(i int, v float64) { s[i] = float32(v) }
	case dtype.F64:
		s := x.F64()
		return func(i int, v float64) { s[i] = v }
	case dtype.BF16:
		s := x.BF16()
		return func(i int, v float64) { s[i] = dtype.ToBF16(float32(v)) }
	}
	s := x.I32()
	return func(i int, v float64) { s[i] = int32(v) }
}

// getter returns the function that reads position i of x.
func getter(x tensor.Tensor) func(i int) float64 {
	switch x.Type {
	case dtype.F32:
		s := x.F32()
		return func(i int) float64 { return float64(s[i]) }
	case dtype.F64:
		s := x.F64()
		return func(i int) float64 { return s[i] }
	case dtype.BF16:
		s := x.BF16()
		return func(i int) float64 { return float64(dtype.FromBF16(s[i])) }
	}
	s := x.I32()
	return func(i int) float64 { return float64(s[i]) }
}
