package kerneltest

import (
	"fmt"

	"artel/kernels"
	"artel/tensor"
)

// gates lists the gates.
var gates = []kernels.Gate{kernels.SwiGLU, kernels.GELUAct, kernels.ReLUAct, kernels.LinearAct}

func testGated(s *suite) {
	for _, g := range gates {
		for i, shape := range matrixShapes {
			for _, scaled := range []bool{false, true} {
				for _, cut := range []bool{false, true} {
					n, f := shape[0], shape[1]
					c := s.newCase(i%2*3, "%v %v scale=%v rows=%v", g, shape, scaled, cut)
					args := kernels.Gated{A: c.half(outHalf, c.nans)(n, f), H: c.half(hiddenHalf, c.float)(n, g.Width(f)), Gate: g}
					if scaled {
						args.Scale = c.float(n)
					}
					valid := n
					if cut {
						valid = n / 2
						args.Rows = c.list([]int{valid})
					}
					c.output(args.A.Narrow(0, 0, valid), specialTerms)
					c.run(args)
				}
			}
		}
		c := s.newCase(0, "%v of NaN", g)
		h := c.half(hiddenHalf, c.float)(4, g.Width(20))
		setter(h)(7, nan)
		c.run(kernels.Gated{A: c.output(c.half(outHalf, c.nans)(4, 20), specialTerms), H: h, Scale: c.float(4), Gate: g})
	}
}

func testGatedGrad(s *suite) {
	for _, g := range gates {
		n := 0
		for pass := 0; pass < 2; pass++ {
			s.eachRowCase("%v", func(r rowCase) {
				n++
				scaled, dScaled, cut := n&1 > 0, n/2%3 > 0, n/4%3 == 0
				r.name += fmt.Sprintf(" scale=%v dscale=%v rows=%v", scaled, dScaled, cut)
				valid, width := r.c, g.Width(r.d)
				dh := r.half(outHalf, r.float)
				if r.acc {
					dh = r.float
				}
				args := kernels.GatedGrad{DH: dh(r.c, width), H: r.half(hiddenHalf, r.float)(r.n, width), DA: r.float(r.c, r.d), Act: r.act,
					Gate: g, Accumulate: r.acc}
				if cut {
					valid = r.c * 2 / 3
					args.Rows = r.list([]int{valid})
				}
				if !r.acc {
					r.fill(args.DH, func(int) float64 { return nan })
				}
				r.output(args.DH.Narrow(0, 0, valid), specialTerms)
				if scaled {
					args.Scale = r.float(r.n)
				}
				if dScaled {
					args.DScale = r.floats(func(int) float64 { return nan }, r.c)
					r.output(args.DScale.Narrow(0, 0, valid), r.d+specialTerms)
				}
				r.run(args)
			}, g)
		}
		if g.Width(1) == 1 {
			for _, shape := range matrixShapes {
				c := s.newCase(shape[0]%3, "%v in place %v", g, shape)
				da := c.output(c.float(shape[:]...), specialTerms)
				c.run(kernels.GatedGrad{DH: da, DA: da, H: c.half(hiddenHalf, c.float)(shape[:]...), Scale: c.float(shape[0]),
					DScale: c.out(false, shape[1]+specialTerms, shape[0]), Gate: g})
			}
		}
		for _, shape := range matrixShapes {
			n, f := shape[0], shape[1]
			c := s.newCase(n%3, "%v in place of H %v", g, shape)
			h := c.output(c.half(hiddenHalf, c.float)(n, g.Width(f)), specialTerms)
			c.run(kernels.GatedGrad{DH: h, DA: c.float(n, f), H: h, Scale: c.float(n), DScale: c.out(false, f+specialTerms, n), Gate: g})
		}
		c := s.newCase(0, "%v of NaN", g)
		da := c.float(4, 20)
		setter(da)(47, nan)
		c.run(kernels.GatedGrad{DH: c.output(c.half(outHalf, c.nans)(4, g.Width(20)), specialTerms), DA: da, H: c.half(hiddenHalf, c.positive)(4, g.Width(20)),
			DScale: c.out(false, 20+specialTerms, 4), Gate: g})
	}
}

// nans returns numbers that are none.
func (c *testCase) nans(shape ...int) tensor.Tensor {
	return c.floats(func(int) float64 { return nan }, shape...)
}

// positive returns numbers of [0.1,1.1).
func (c *testCase) positive(shape ...int) tensor.Tensor {
	return c.floats(func(int) float64 { return c.rnd.Float64() + 0.1 }, shape...)
}
