package kerneltest

import (
	"math"

	"artel/kernels"
	"artel/tensor"
)

func testRMSNorm(s *suite) {
	for i, shape := range matrixShapes {
		for variant := 0; variant < 4; variant++ {
			n, d := shape[0], shape[1]
			c := s.newCase((i+variant)%2*3, "%v variant=%d", shape, variant)
			args := kernels.RMSNorm{Y: c.out(false, d, n, d), X: c.float(n, d), RStd: c.out(false, d, n), Eps: 1e-5}
			if variant&1 > 0 {
				args.W = c.float(d)
			}
			if variant&2 > 0 { // Eps decides for a row of zeros
				c.fill(args.X, func(i int) float64 { return float64(i/d%2) * c.normal() })
			}
			c.run(args)
		}
	}
	c := s.newCase(0, "NaN")
	x := c.float(6, 19)
	setter(x)(40, nan)
	c.run(kernels.RMSNorm{Y: c.out(false, 19, 6, 19), X: x, RStd: c.out(false, 19, 6), Eps: 1e-6})
}

func testLayerNorm(s *suite) {
	for i, shape := range matrixShapes {
		for variant := 0; variant < 8; variant++ {
			n, d := shape[0], shape[1]
			c := s.newCase((i+variant)%2*3, "%v variant=%d", shape, variant)
			args := kernels.LayerNorm{Y: c.out(false, d, n, d), X: c.float(n, d), Stat: c.out(false, d, n, 2), Eps: 1e-5}
			if variant&1 > 0 {
				args.W = c.float(d)
			}
			if variant&2 > 0 {
				args.B = c.float(d)
			}
			if variant&4 > 0 { // Eps decides for a row of zeros
				c.fill(args.X, func(i int) float64 { return float64(i/d%3) * c.normal() })
			}
			c.run(args)
		}
	}
	// A mean of a hundred standard deviations: E[x^2]-E[x]^2 would lose four digits of the variance more than (x-mean)^2.
	c := s.newCase(0, "far from zero")
	x := c.floats(func(int) float64 { return 100 + c.normal() }, 5, 64)
	c.run(kernels.LayerNorm{Y: c.out(false, 20000, 5, 64), X: x, Stat: c.out(false, 20000, 5, 2), Eps: 1e-5})
	c = s.newCase(0, "NaN")
	x = c.float(6, 19)
	setter(x)(40, nan)
	c.run(kernels.LayerNorm{Y: c.out(false, 19, 6, 19), X: x, Stat: c.out(false, 19, 6, 2), Eps: 1e-6})
}

// normGradCase is what the gradients of both norms share.
type normGradCase struct {
	*testCase
	n, d           int
	x, dx, dy, act tensor.Tensor
	w              bank
	acc            bool
}

// eachNormGrad runs f over shapes and ways of sharing rows, with and without DX and DstW.
func (s *suite) eachNormGrad(f func(r normGradCase)) {
	for i, shape := range matrixShapes {
		for variant := 0; variant < 16; variant++ {
			n, d, how, tasks := shape[0], shape[1], sharing(variant%3), 1+(i+variant)%3
			wantX, wantW, acc, oneTask := variant%4 != 1, variant%4 != 2, variant&4 > 0, variant&8 > 0
			c := s.newCase((i+variant)%2*3, "%v sharing=%d M=%d dX=%v dW=%v acc=%v oneTask=%v", shape, how, tasks, wantX, wantW, acc, oneTask)
			segs, cots := tokenSegs(&c.rnd, how, n, tasks)
			r := normGradCase{testCase: c, n: n, d: d, acc: acc, x: c.float(n, d), dy: c.float(cots, d)}
			if how != owned {
				act := make([]int, cots)
				for _, s := range segs {
					for j := 0; j < s.n; j++ {
						act[s.row0+j] = s.act0 + j
					}
				}
				r.act = c.list(act)
			}
			if wantX {
				r.dx = c.out(acc, d, cots, d)
			}
			if wantW {
				r.w = c.bank(segs, 1, tasks, oneTask, n*tasks+1, d)
			}
			f(r)
		}
	}
	c := s.newCase(0, "any order of rows")
	f(normGradCase{testCase: c, n: 9, d: 21, x: c.float(9, 21), dy: c.float(6, 21), act: c.rowsOf(6, 9, false), dx: c.out(false, 21, 6, 21)})
}

func testRMSNormGrad(s *suite) {
	s.eachNormGrad(func(r normGradCase) {
		for _, weighted := range []bool{false, true} {
			args := kernels.RMSNormGrad{DX: r.dx, X: r.x, RStd: r.positive(r.n), DY: r.dy, Act: r.act,
				Segs: r.w.segs, DstW: r.w.dst, Touched: r.w.touched, Accumulate: r.acc}
			if weighted {
				args.W = r.float(r.d)
			}
			r.run(args)
		}
	})
}

func testLayerNormGrad(s *suite) {
	s.eachNormGrad(func(r normGradCase) {
		for _, weighted := range []bool{false, true} {
			stat := r.float(r.n, 2)
			r.fill(stat, func(int) float64 { return r.rnd.Float64() + 0.2 })
			args := kernels.LayerNormGrad{DX: r.dx, X: r.x, Stat: stat, DY: r.dy, Act: r.act,
				Segs: r.w.segs, DstW: r.w.dst, Touched: r.w.touched, Accumulate: r.acc}
			if weighted {
				args.W = r.float(r.d)
			}
			r.run(args)
		}
	})
}

func testSoftmax(s *suite) {
	for i, shape := range matrixShapes {
		for variant := 0; variant < 4; variant++ {
			n, d := shape[0], shape[1]
			c := s.newCase((i+variant)%2*3, "%v variant=%d", shape, variant)
			x := c.float(n, d)
			if variant&2 > 0 { // large logits, and masked entries beside one that is not
				c.fill(x, func(i int) float64 {
					if i%d > 0 && c.rnd.Intn(3) == 0 {
						return math.Inf(-1)
					}
					return 50 * c.normal()
				})
			}
			y := x
			if variant&1 > 0 {
				c.output(x, d+specialTerms)
			} else {
				y = c.out(false, d+specialTerms, n, d)
			}
			c.run(kernels.Softmax{Y: y, X: x})
		}
	}
	for _, v := range []float64{nan, math.Inf(1), math.Inf(-1)} {
		c := s.newCase(0, "%v", v)
		x := c.float(5, 21)
		setter(x)(47, v)
		for j := 0; j < 21; j++ {
			setter(x)(21+j, v)
		}
		c.run(kernels.Softmax{Y: c.out(false, 21+specialTerms, 5, 21), X: x})
	}
}

func testSoftmaxGrad(s *suite) {
	s.eachRowCase("", func(r rowCase) {
		r.run(kernels.SoftmaxGrad{DX: r.out(r.acc, r.d, r.c, r.d), Y: r.positive(r.n, r.d), DY: r.float(r.c, r.d), Act: r.act, Accumulate: r.acc})
	})
	c := s.newCase(0, "NaN")
	dy := c.float(5, 21)
	setter(dy)(47, nan)
	c.run(kernels.SoftmaxGrad{DX: c.out(false, 21, 5, 21), Y: c.positive(5, 21), DY: dy})
}
