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
	b.Name, b.Products, b.Halves = "ref+bf16", dtype.BF16, true
	b.GEMM = func(a kernels.GEMM) {
		a.A, a.B = rounded(a.A), rounded(a.B)
		gemm(a)
	}
	b.GroupedGEMM = func(a kernels.GroupedGEMM) {
		a.A, a.B = rounded(a.A), rounded(a.B)
		off := ivec(a.Off)
		stored(&a.C, int(off[len(off)-1]), func() { groupedGEMM(a) })
	}
	b.GradW = func(a kernels.GradW) {
		a.X, a.DY = rounded(a.X), rounded(a.DY)
		gradW(a)
	}
	b.CellGram = func(a kernels.CellGram) {
		a.X, a.DY = rounded(a.X), rounded(a.DY)
		cellGram(a)
	}
	b.Gated = func(a kernels.Gated) {
		a.H = widened(a.H)
		stored(&a.A, validRows(a.Rows, a.A.Dim(0)), func() { gated(a) })
	}
	b.GatedGrad = func(a kernels.GatedGrad) {
		a.H = widened(a.H)
		stored(&a.DH, validRows(a.Rows, a.DH.Dim(0)), func() { gatedGrad(a) })
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

// widened is x, or a copy of it in float64 when it is BF16.
func widened(x tensor.Tensor) tensor.Tensor {
	if x.Type != dtype.BF16 {
		return x
	}
	wide := tensor.New(dtype.F64, x.Shape()...)
	host.Copy(wide, x)
	return wide
}

// stored runs op, which writes rows [0,n) of *out; when that is BF16, op writes float64 numbers that are rounded afterwards.
func stored(out *tensor.Tensor, n int, op func()) {
	half := *out
	if half.Type != dtype.BF16 {
		op()
		return
	}
	*out = tensor.New(dtype.F64, half.Shape()...)
	op()
	host.Copy(half.Narrow(0, 0, n), out.Narrow(0, 0, n))
}
