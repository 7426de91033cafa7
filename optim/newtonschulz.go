package optim

import (
	"artel/kernels"
	"artel/tensor"
)

// Coefficients of the quintic a*s + b*s^3 + c*s^5 (Jordan et al. 2024): it lifts small singular values fastest and keeps the large
// ones between about 0.7 and 1.2 rather than at 1.
const nsA, nsB, nsC = 3.4445, -4.7750, 2.0315

// newtonSchulz drives the singular values of a matrix towards 1 and keeps its singular vectors. Each step is
//
//	X = a*X + (b*A + c*A*A)*X  with A = X*X^T,    or X*(b*A + c*A*A) with A = X^T*X for a tall X: A is the smaller one
//
// x holds the matrix, of Frobenius norm at most 1; y is of the same shape. Both are overwritten, and one of them is returned.
func newtonSchulz(b *kernels.Backend, scratch *tensor.Arena, x, y tensor.Tensor, steps int) tensor.Tensor {
	tall := x.Dim(0) > x.Dim(1)
	n := min(x.Dim(0), x.Dim(1))
	gram, square, poly := scratch.New(b.Float, n, n), scratch.New(b.Float, n, n), scratch.New(b.Float, n, n)
	for range steps {
		if tall {
			b.GEMM(kernels.GEMM{A: x.T(), B: x, C: gram})
		} else {
			b.GEMM(kernels.GEMM{A: x, B: x.T(), C: gram})
		}
		b.GEMM(kernels.GEMM{A: gram, B: gram, C: square})
		b.Axpy(kernels.Axpy{Dst: poly, Src: gram, Alpha: nsB})
		b.Axpy(kernels.Axpy{Dst: poly, Src: square, Alpha: nsC, Accumulate: true})
		b.Axpy(kernels.Axpy{Dst: y, Src: x, Alpha: nsA})
		if tall {
			b.GEMM(kernels.GEMM{A: x, B: poly, C: y, Accumulate: true})
		} else {
			b.GEMM(kernels.GEMM{A: poly, B: x, C: y, Accumulate: true})
		}
		x, y = y, x
	}
	return x
}
