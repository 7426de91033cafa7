package kerneltest

import (
	"math"

	"artel/kernels"
	"artel/tensor"
)

// epilogues runs what follows a product: every function, with and without each of its companions.
func (s *suite) epilogues() {
	for i, size := range [][3]int{{0, 5, 3}, {5, 0, 3}, {1, 9, 1}, {2, 300, 9}, {7, 33, 0}, {13, 65, 40}, {29, 48, 300}, {70, 260, 64}, {400, 40, 17}} {
		for f := kernels.Identity; f <= kernels.Softplus; f++ {
			for companions := 0; companions < 16; companions++ {
				if (companions+i+int(f))%3 == 0 || f == kernels.ReLU || f == kernels.Identity {
					s.epilogue(f, companions, (i+int(f))%2*3, size[0], size[1], size[2])
				}
			}
		}
	}
	c := s.newCase(0, "NaN through ReLU")
	a := c.float(9, 17)
	setter(a)(3*17+4, nan)
	c.run(kernels.GEMM{A: a, B: c.float(17, 19), C: c.out(false, 17, 9, 19), F: kernels.ReLU})
}

// epilogue runs one case; bits of companions: bias, pre-activation kept, row scale, residual.
func (s *suite) epilogue(f kernels.Unary, companions, gap, m, n, k int) {
	if s.tooBig(m * n * k) {
		return
	}
	c := s.newCase(gap, "%v of %dx%dx%d companions %04b", f, m, n, k, companions)
	number := c.float
	weights := func(shape ...int) tensor.Tensor { // for sums of about 1, where no function is saturated
		return c.floats(func(int) float64 { return c.normal() / math.Sqrt(float64(k)) }, shape...)
	}
	if f == kernels.Log { // of sums above 1
		number = func(shape ...int) tensor.Tensor {
			return c.floats(func(int) float64 { return c.rnd.Float64() + 1.1 }, shape...)
		}
		weights = func(shape ...int) tensor.Tensor {
			return c.floats(func(int) float64 { return (c.rnd.Float64() + 1) / float64(k) }, shape...)
		}
		if k == 0 {
			companions |= 1
		}
	}
	args := kernels.GEMM{F: f, A: c.half(leftHalf, number)(m, k), B: c.half(rightHalf, weights)(k, n), C: c.out(false, k+specialTerms, m, n)}
	if companions&1 > 0 {
		args.Bias = number(n)
	}
	if companions&2 > 0 {
		args.Pre = c.out(false, k+1, m, n)
	}
	if companions&4 > 0 {
		args.Scale = c.float(m)
	}
	if companions&8 > 0 {
		args.Residual = c.float(m, n)
	}
	c.run(args)
}
