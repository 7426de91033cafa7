package cuda

import (
	"artel/kernels"
	"artel/tensor"
)

func (d *device) linear() kernels.Linear {
	follow := d.epilogue()
	return kernels.Linear{
		GEMM: func(a kernels.GEMM) {
			m, n, k := a.C.Dim(0), a.C.Dim(1), a.A.Dim(1)
			product := a.C
			if a.Pre.Ok() {
				product = a.Pre
			}
			if d.warpgroupProduct(kernels.GroupedGEMM{A: a.A, B: a.B, C: product}, a.Bias, a.Accumulate, 1) {
				follow(a, product)
				return
			}
			t := gemmTiling(d.products, d.copied(a.A, a.B), d.units, m, n)
			d.product(t, "gemm").view(a.A).view(a.B).mat(a.C).ptr(a.Bias).i64(m, n, k).flag(a.Accumulate).
				i32(halfBit(a.A, halfA)|halfBit(a.B, halfB)|roundBit(d.products), int(a.F), 0).optional(a.Pre).ptr(a.Scale).optional(a.Residual).tiles(t, t.gemm(m, n))
		},
		GroupedGEMM: func(a kernels.GroupedGEMM) {
			groups, k, n := a.B.Dim(0), a.B.Dim(1), a.B.Dim(2)
			if d.warpgroupProduct(a, tensor.Tensor{}, false, groups) {
				return
			}
			t := tilingFor(d.products, d.copied(a.A, a.B), d.units, 1, a.C.Dim(0), n)
			d.product(t, "grouped_gemm").view(a.A).ptr(a.Index).view(a.B).i64(a.B.Stride(0)).mat(a.C).ptr(a.Off).
				i32(groups, halfBit(a.A, halfA)|halfBit(a.B, halfB)|halfBit(a.C, halfOut)).i64(n, k).tiles(t, t.grouped(a.C.Dim(0), groups, n))
		},
		GradW: func(a kernels.GradW) {
			if !d.warpgroupGradW(a) {
				groups, k, n := a.Dst.Dim(0), a.Dst.Dim(2), a.Dst.Dim(3)
				t := tilingFor(d.products, d.copied(a.X, a.DY), d.units, cells(a.Dst), k, n)
				d.product(t, "grad_w").dest(a.Dst, a.Touched).i64(a.Dst.Stride(2), a.Dst.Stride(3)).mat(a.Segs).i32(a.Segs.Dim(0), groups).
					mat(a.X).ptr(a.XIndex).mat(a.DY).ptr(a.YIndex).i64(k, n).i32(halfBit(a.X, halfA)|halfBit(a.DY, halfB)).tiles(t, t.gradW(cells(a.Dst), k, n))
			}
			d.mark(a.Dst, a.Touched, a.Segs)
		},
		GradB: func(a kernels.GradB) {
			n := a.Dst.Dim(2)
			d.op("linear", "grad_b").dest(a.Dst, a.Touched).mat(a.Segs).i32(a.Segs.Dim(0), a.Dst.Dim(0)).mat(a.DY).i64(n).over(cells(a.Dst) * n)
			d.mark(a.Dst, a.Touched, a.Segs)
		},
		Embed: func(a kernels.Embed) {
			n, m := a.Dst.Dim(0), a.Dst.Dim(1)
			d.op("linear", "embed").mat(a.Table).ptr(a.IDs).ptr(a.Off).mat(a.Dst).i64(n, m).flag(a.Mean).over(n * m)
		},
		EmbedGrad: func(a kernels.EmbedGrad) {
			v, n := a.Dst.Dim(2), a.Dst.Dim(3)
			d.op("linear", "embed_grad").dest(a.Dst, a.Touched).i64(a.Dst.Stride(2)).mat(a.Segs).i32(a.Segs.Dim(0), 0).ptr(a.IDs).ptr(a.Off).mat(a.DY).i64(v, n).flag(a.Mean).
				over(cells(a.Dst) * n)
			d.mark(a.Dst, a.Touched, a.Segs)
		},
	}
}

// epilogue returns what launches the rest of a GEMM after its product, element by element and in place.
func (d *device) epilogue() func(a kernels.GEMM, product tensor.Tensor) {
	e, m := d.elementwise(), d.moves()
	return func(a kernels.GEMM, product tensor.Tensor) {
		if a.F != kernels.Identity || a.Pre.Ok() {
			e.Map(kernels.Map{Dst: a.C, X: product, F: a.F})
		}
		if a.Scale.Ok() {
			e.RowScale(kernels.RowScale{Dst: a.C, S: a.Scale, Y: a.C})
		}
		if a.Residual.Ok() {
			m.Axpy(kernels.Axpy{Dst: a.C, Src: a.Residual, Alpha: 1, Accumulate: true})
		}
	}
}
