package kerneltest

import (
	"math"

	"artel/kernels"
	"artel/tensor"
)

// columnCounts are numbers of parameters: none, one, around blocks, a group of a small model.
var columnCounts = []int{0, 1, 3, 4, 7, 16, 33, 127, 1000, 4099, 70001}

// present returns flags for m tasks; the low bits of which name the absent ones.
func (c *testCase) present(m, which int) tensor.Tensor {
	return c.ints(func(i int) int { return 1 - which>>i&1 }, m)
}

// taskGradients returns J [m,p]; the rows of absent tasks are NaN.
func (c *testCase) taskGradients(m, p, absent int) tensor.Tensor {
	return c.floats(func(i int) float64 {
		if absent>>(i/p)&1 == 1 {
			return nan
		}
		return c.normal()
	}, m, p)
}

// eachJacobian runs f over numbers of tasks and columns and sets of absent tasks.
func (s *suite) eachJacobian(f func(c *testCase, m, p, absent int)) {
	for _, p := range columnCounts {
		for _, m := range []int{1, 2, 3, 5, 8} {
			for _, absent := range []int{0, 2, 1<<m - 1} {
				if (p < 5000 || m < 4) && !s.tooBig(m*m*p) {
					f(s.newCase((p+m)%2*3, "P=%d M=%d absent=%b", p, m, absent), m, p, absent)
				}
			}
		}
	}
}

func testGram(s *suite) {
	s.eachJacobian(func(c *testCase, m, p, absent int) {
		args := kernels.Gram{J: c.taskGradients(m, p, absent), Present: c.present(m, absent), G: c.double(func(int) float64 { return 3 }, m, m)}
		for i := 0; i < m; i++ {
			for j := 0; j < m; j++ {
				if (absent>>i|absent>>j)&1 == 0 {
					c.output(args.G.Narrow(0, i, 1).Narrow(1, j, 1), p+1)
				}
			}
		}
		c.run(args)
	})
	c := s.newCase(0, "NaN and infinity")
	c.run(kernels.Gram{J: c.poison(c.float(2, 21)), Present: c.present(2, 0), G: c.total(21, 2, 2)})
	c = s.newCase(0, "symmetric")
	g := c.total(1000, 6, 6)
	c.fill(g, func(int) float64 { return 0 })
	out := c.run(kernels.Gram{J: c.float(6, 777), Present: c.present(6, 0), G: g})
	if out == nil {
		return
	}
	at := whole(out[0])
	for i := 0; i < 6; i++ {
		for j := 0; j < i; j++ {
			if x, y := at(g.Offset()+i*g.Stride(0)+j), at(g.Offset()+j*g.Stride(0)+i); x != y {
				s.errorf(c, "G[%d,%d] = %v, G[%d,%d] = %v", i, j, x, j, i, y)
			}
		}
	}
}

func testCombine(s *suite) {
	n := 0
	s.eachJacobian(func(c *testCase, m, p, absent int) {
		n++
		args := kernels.Combine{J: c.taskGradients(m, p, absent), Present: c.present(m, absent)}
		args.W = c.double(func(i int) float64 {
			if absent>>i&1 == 1 {
				return nan
			}
			return c.normal()
		}, m)
		if n%3 == 0 {
			args.Dst = c.output(args.J.At(m/2), m)
		} else {
			args.Dst = c.out(false, m, p)
		}
		if n%2 == 0 {
			args.SumSq = c.total(p+m, 1)
		}
		c.run(args)
	})
	c := s.newCase(0, "NaN and infinity")
	c.run(kernels.Combine{J: c.poison(c.float(2, 21)), Present: c.present(2, 0), W: c.double(func(int) float64 { return 1 }, 2),
		Dst: c.out(false, 2, 21), SumSq: c.total(23, 1)})
}

func testSumSquares(s *suite) {
	for _, p := range columnCounts {
		c := s.newCase(p%3, "P=%d", p)
		c.run(kernels.SumSquares{Dst: c.total(p+1, 1), X: c.float(p)})
	}
	c := s.newCase(0, "squares that float32 cannot hold")
	c.run(kernels.SumSquares{Dst: c.total(100, 1), X: c.floats(func(i int) float64 { return []float64{1e25, 1e-30}[i%2] }, 100)})
	c = s.newCase(0, "NaN and infinity")
	c.run(kernels.SumSquares{Dst: c.total(21, 1), X: c.poison(c.float(21))})
}

func testSGD(s *suite) {
	for i, p := range columnCounts {
		for variant := 0; variant < 8; variant++ {
			c := s.newCase((i+variant)%2*3, "P=%d variant=%d", p, variant)
			args := kernels.SGD{P: c.out(true, 4, p), G: c.float(p), LR: 0.1, Decay: float64(variant&1) * 0.01, Scale: 0.5, By: c.by(i + variant)}
			if variant&2 > 0 {
				args.Momentum, args.Dampening, args.M = 0.9, 0.1, c.out(true, 4, p)
				args.Nesterov = variant&1 > 0
				if variant&4 > 0 {
					args.First = true
					c.fill(args.M, func(int) float64 { return nan })
				}
			}
			c.run(args)
		}
	}
	c := s.newCase(0, "NaN and infinity")
	c.run(kernels.SGD{P: c.out(true, 4, 33), G: c.poison(c.float(33)), LR: 0.1, Scale: 1})
}

func testAdam(s *suite) {
	for i, p := range columnCounts {
		for variant := 0; variant < 8; variant++ {
			c := s.newCase((i+variant)%2*3, "P=%d variant=%d", p, variant)
			args := kernels.Adam{P: c.out(true, 8, p), G: c.float(p), M: c.out(true, 4, p), V: c.output(c.positive(p), 4), LR: 0.01,
				Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: float64(variant&1) * 0.1, Scale: 0.5, By: c.by(i + variant), Step: 3, Decoupled: variant&2 > 0}
			if variant&4 > 0 { // the first step, with a gradient of 0 now and then: 0 / (0 + Eps)
				args.Step = 1
				c.fill(args.M, func(int) float64 { return 0 })
				c.fill(args.V, func(int) float64 { return 0 })
				c.fill(args.G, func(i int) float64 { return float64(i%3) * c.normal() })
			}
			c.run(args)
		}
	}
	c := s.newCase(0, "late step")
	c.run(kernels.Adam{P: c.out(true, 8, 33), G: c.float(33), M: c.out(true, 4, 33), V: c.output(c.positive(33), 4), LR: 0.01,
		Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Scale: 1, Step: 1 << 33})
	c = s.newCase(0, "NaN")
	g := c.float(33)
	setter(g)(20, nan)
	c.run(kernels.Adam{P: c.out(true, 8, 33), G: g, M: c.out(true, 4, 33), V: c.output(c.positive(33), 4), LR: 0.01,
		Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Scale: 1, Step: 2})
}

func testLion(s *suite) {
	for i, p := range columnCounts {
		for variant := 0; variant < 2; variant++ {
			c := s.newCase(i%2*3, "P=%d variant=%d", p, variant)
			args := kernels.Lion{P: c.out(true, 4, p), G: c.float(p), M: c.out(true, 4, p), LR: 0.01, Beta1: 0.9, Beta2: 0.99,
				Decay: float64(variant) * 0.1, Scale: 0.5, By: c.by(i + variant)}
			g, m, set := getter(args.G), getter(args.M), setter(args.M)
			for i := 0; i < p; i++ {
				if math.Abs(0.9*m(i)+0.1*0.5*g(i)) < 1e-4 || math.Abs(0.9*m(i)+0.1*0.5*0.7*g(i)) < 1e-4 {
					set(i, 1) // the sign would hang on rounding
				}
				if i%10 == 9 {
					set(i, 0)
					setter(args.G)(i, 0)
				}
			}
			c.run(args)
		}
	}
	c := s.newCase(0, "NaN")
	g := c.float(33)
	setter(g)(20, nan)
	c.run(kernels.Lion{P: c.out(true, 4, 33), G: g, M: c.floatOut(33), LR: 0.01, Beta1: 0.9, Beta2: 0.99, Scale: 1})
}

// floatOut returns a vector of ones that the op changes.
func (c *testCase) floatOut(n int) tensor.Tensor {
	return c.output(c.floats(func(int) float64 { return 1 }, n), 4)
}

func testCrossGram(s *suite) {
	s.eachJacobian(func(c *testCase, m, p, absent int) {
		args := kernels.CrossGram{J: c.taskGradients(m, p, absent), K: c.taskGradients(m, p, absent), Present: c.present(m, absent),
			G: c.double(func(int) float64 { return 3 }, m, m)}
		for i := 0; i < m; i++ {
			for j := 0; j < m; j++ {
				if (absent>>i|absent>>j)&1 == 0 {
					c.output(args.G.Narrow(0, i, 1).Narrow(1, j, 1), p+1)
				}
			}
		}
		c.run(args)
	})
	c := s.newCase(0, "NaN and infinity")
	c.run(kernels.CrossGram{J: c.poison(c.float(2, 21)), K: c.float(2, 21), Present: c.present(2, 0), G: c.total(21, 2, 2)})
}
