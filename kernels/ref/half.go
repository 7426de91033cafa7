package ref

import (
	"artel/dtype"
	"artel/kernels"
	"artel/kernels/internal/host"
	"artel/tensor"
)

// BF16 returns the reference of a backend whose Products is BF16: operands are rounded, and all else is as in New.
func BF16() *kernels.Backend {
	b := New()
	b.Name, b.Products = "ref+bf16", dtype.BF16
	b.GEMM = func(a kernels.GEMM) {
		a.A, a.B = rounded(a.A), rounded(a.B)
		gemm(a)
	}
	b.GroupedGEMM = func(a kernels.GroupedGEMM) {
		a.A, a.B = rounded(a.A), rounded(a.B)
		groupedGEMM(a)
	}
	b.GradW = func(a kernels.GradW) {
		a.X, a.DY = rounded(a.X), rounded(a.DY)
		gradW(a)
	}
	b.CellGram = func(a kernels.CellGram) {
		a.X, a.DY = rounded(a.X), rounded(a.DY)
		cellGram(a)
	}
	b.Experts = kernels.Composed(b.Linear, b.Elementwise)
	return b
}

// rounded is a copy of x with every element rounded to bfloat16.
func rounded(x tensor.Tensor) tensor.Tensor {
	half, wide := tensor.New(dtype.BF16, x.Shape()...), tensor.New(dtype.F64, x.Shape()...)
	host.Copy(half, x)
	host.Copy(wide, half)
	return wide
}
