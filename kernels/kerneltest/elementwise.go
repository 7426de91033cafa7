package kerneltest

import (
	"fmt"
	"math"

	"artel/kernels"
	"artel/tensor"
)

// rowCase is a choice of shape, stacking, accumulation and strides for ops on cotangent rows.
type rowCase struct {
	*testCase
	n, c, d int           // activation rows, cotangent rows, width
	act     tensor.Tensor // cotangent row -> activation row, or none
	acc     bool
}

// eachRowCase runs f over shapes, with and without Act, Accumulate and gaps between rows.
func (s *suite) eachRowCase(format string, f func(r rowCase), args ...any) {
	for i, shape := range matrixShapes {
		for _, tasks := range []int{1, 3} {
			for _, acc := range []bool{false, true} {
				name := fmt.Sprintf(format, args...)
				c := s.newCase((i+tasks/2)%2*3, "%s %v M=%d acc=%v", name, shape, tasks, acc)
				f(rowCase{c, shape[0], shape[0] * tasks, shape[1], c.act(shape[0], tasks), acc})
			}
		}
	}
	c := s.newCase(0, format+" any order of rows", args...)
	f(rowCase{c, 9, 20, 21, c.rowsOf(20, 9, false), false})
}

// unaries lists the functions of Map.
var unaries = []kernels.Unary{kernels.Identity, kernels.ReLU, kernels.GELU, kernels.SiLU, kernels.Sigmoid, kernels.Tanh,
	kernels.Exp, kernels.Log, kernels.Square, kernels.Softplus}

// argument returns arguments for f: where it is defined, on several scales, with the special points of its domain.
func (c *testCase) argument(f kernels.Unary, n, d int) tensor.Tensor {
	special := []float64{0, 1, -1, 0x1p-60, -0x1p-60, 6, -6, 12, -12, 30, -30}
	return c.floats(func(i int) float64 {
		x := 2 * c.normal()
		if i%7 == 0 {
			x = special[i/7%len(special)]
		}
		if f == kernels.Log {
			x = math.Abs(x) + 0x1p-40
		}
		return x
	}, n, d)
}

// special functions are allowed the error of this many terms: exp and erf amplify the rounding of their argument.
const specialTerms = 64

func testMap(s *suite) {
	for _, f := range unaries {
		for i, shape := range matrixShapes {
			c := s.newCase(i%2*3, "%v %v", f, shape)
			c.run(kernels.Map{Dst: c.out(false, specialTerms, shape[:]...), X: c.argument(f, shape[0], shape[1]), F: f})
		}
		// The limits at infinity, but for GELU and SiLU at -Inf, where the formula is -Inf * 0.
		c := s.newCase(0, "%v at the ends", f)
		ends := []float64{nan, math.Inf(1), 100, 500, 1, 0, -100, -500}
		if f != kernels.GELU && f != kernels.SiLU {
			ends = append(ends, math.Inf(-1), -1e30)
		}
		if f != kernels.Square {
			ends = append(ends, 1e30)
		}
		x := c.floats(func(i int) float64 { return ends[i%len(ends)] }, 3, 31)
		c.run(kernels.Map{Dst: c.out(false, specialTerms, 3, 31), X: x, F: f})
		// Small values by themselves: the tolerance goes by the largest outputs.
		c = s.newCase(0, "%v of small numbers", f)
		x = c.floats(func(i int) float64 { return 1e-4 * (c.rnd.Float64() + 0.5) }, 3, 31)
		c.run(kernels.Map{Dst: c.out(false, specialTerms, 3, 31), X: x, F: f})
	}
}

func testMapGrad(s *suite) {
	for _, f := range unaries {
		s.eachRowCase("%v", func(r rowCase) {
			x := r.argument(f, r.n, r.d)
			if f == kernels.Log { // 1/x of tiny x would hide everything else under the scale
				r.fill(x, func(int) float64 { return r.rnd.Float64() + 0.1 })
			}
			if f == kernels.Exp {
				r.fill(x, func(int) float64 { return r.normal() })
			}
			r.run(kernels.MapGrad{DX: r.out(r.acc, specialTerms, r.c, r.d), X: x, DY: r.float(r.c, r.d), Act: r.act, F: f, Accumulate: r.acc})
		}, f)
		c := s.newCase(0, "%v of NaN and infinite cotangents", f)
		x := c.floats(func(int) float64 { return c.rnd.Float64() + 0.1 }, 2, 33)
		c.run(kernels.MapGrad{DX: c.out(false, specialTerms, 2, 33), X: x, DY: c.poison(c.float(2, 33)), F: f})
	}
}

func testMul(s *suite) {
	s.eachRowCase("", func(r rowCase) {
		r.run(kernels.Mul{Dst: r.out(r.acc, 2, r.c, r.d), X: r.float(r.n, r.d), Y: r.float(r.c, r.d), Act: r.act, Accumulate: r.acc})
	})
	s.eachRowCase("NaN and infinity", func(r rowCase) {
		r.run(kernels.Mul{
			Dst: r.out(r.acc, 2, r.c, r.d), X: r.poison(r.float(r.n, r.d)), Y: r.float(r.c, r.d), Act: r.act, Accumulate: r.acc})
	})
}

func testRowScale(s *suite) {
	s.eachRowCase("", func(r rowCase) {
		r.run(kernels.RowScale{Dst: r.out(r.acc, 2, r.c, r.d), S: r.float(r.n), Y: r.float(r.c, r.d), Act: r.act, Accumulate: r.acc})
	})
	c := s.newCase(0, "NaN and infinity")
	c.run(kernels.RowScale{Dst: c.out(false, 2, 30, 5), S: c.poison(c.float(30)), Y: c.float(30, 5)})
}

func testRowDot(s *suite) {
	s.eachRowCase("", func(r rowCase) {
		r.run(kernels.RowDot{
			Dst: r.out(r.acc, r.d, r.c), X: r.float(r.n, r.d), Y: r.float(r.c, r.d), Act: r.act, Accumulate: r.acc})
	})
	c := s.newCase(0, "NaN and infinity")
	c.run(kernels.RowDot{Dst: c.out(false, 3, 30), X: c.poison(c.float(30, 3)), Y: c.float(30, 3)})
}

// keys returns a key of two words for each of n rows.
func (c *testCase) keys(n int) tensor.Tensor {
	return c.ints(func(int) int { return int(int32(c.rnd.Uint64())) }, n, 2)
}

func testDropout(s *suite) {
	for _, p := range []float64{0, 0.1, 0.5, 0.93} {
		s.eachRowCase("P=%v", func(r rowCase) {
			args := kernels.Dropout{Dst: r.out(r.acc, 2, r.c, r.d), X: r.float(r.c, r.d), Keys: r.keys(r.n), Act: r.act,
				Key: r.rnd, P: p, Accumulate: r.acc}
			args.Key.Hi, args.Key.Lo = 99, 98 // the position of the stream must not matter
			r.run(args)
		}, p)
	}
}

func testNoise(s *suite) {
	for i, shape := range matrixShapes {
		c := s.newCase(i%2*3, "%v", shape)
		c.run(kernels.Noise{Dst: c.out(false, 1, shape[:]...), Keys: c.keys(shape[0]), Key: c.rnd})
	}
}

func testAddByRow(s *suite) {
	for i, shape := range matrixShapes {
		for _, inPlace := range []bool{false, true} {
			c := s.newCase(i%2*3, "%v in place=%v", shape, inPlace)
			args := kernels.AddByRow{X: c.float(shape[:]...), Table: c.float(5, shape[1]), Row: c.rowsOf(shape[0], 5, true)}
			if args.Dst = args.X; inPlace {
				c.output(args.Dst, 2)
			} else {
				args.Dst = c.out(false, 2, shape[:]...)
			}
			c.run(args)
		}
	}
}
