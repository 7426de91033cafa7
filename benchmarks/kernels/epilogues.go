package main

import (
	"fmt"

	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

// epilogues times products with what follows them, in one pass and apart: ReLU, GELU with its pre-activation kept, and a residual.
func epilogues(be *kernels.Backend, operand source) (jobs []*job) {
	for _, s := range [][3]int{{4096, 512, 1024}, {65536, 32, 25}} { // the second product of a network, and the input layer of images
		m, n, k := s[0], s[1], s[2]
		a, b, bias, residual := operand(m, k), operand(k, n), random(n), random(m, n)
		c, pre := tensor.New(dtype.F32, m, n), tensor.New(dtype.F32, m, n)
		add := func(what string, run func()) {
			jobs = append(jobs, &job{group: "epilogue", name: fmt.Sprintf("%dx%dx%d %s", m, n, k, what), flops: 2 * float64(m*n*k), run: run})
		}
		plain := kernels.GEMM{A: a, B: b, C: c, Bias: bias}
		add("alone", func() { be.GEMM(plain) })
		for _, f := range []kernels.Unary{kernels.ReLU, kernels.GELU} {
			fused, apart := plain, plain
			fused.F, apart.C = f, pre
			if f != kernels.ReLU {
				fused.Pre = pre
			}
			add(fmt.Sprintf("%v, one pass", f), func() { be.GEMM(fused) })
			add(fmt.Sprintf("%v, apart", f), func() {
				be.GEMM(apart)
				be.Map(kernels.Map{Dst: c, X: pre, F: f})
			})
		}
		fused, apart := plain, plain
		fused.Residual, apart.C = residual, pre
		add("residual, one pass", func() { be.GEMM(fused) })
		add("residual, apart", func() {
			be.GEMM(apart)
			be.Axpy(kernels.Axpy{Dst: c, Src: residual, Alpha: 1})
			be.Axpy(kernels.Axpy{Dst: c, Src: pre, Alpha: 1, Accumulate: true})
		})
	}
	return jobs
}
