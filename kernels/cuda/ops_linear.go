package cuda

import (
	"artel/kernels"
)

func (d *device) linear() kernels.Linear {
	return kernels.Linear{
		GEMM: func(a kernels.GEMM) {
			m, n, k := a.C.Dim(0), a.C.Dim(1), a.A.Dim(1)
			if d.warpgroupProduct(kernels.GroupedGEMM{A: a.A, B: a.B, C: a.C}, a, 1) {
				return
			}
			t := gemmTiling(d.products, d.copied(a.A, a.B), d.units, m, n)
			d.product(t, "gemm").view(a.A).view(a.B).mat(a.C).i64(m, n, k).
				i32(halfBit(a.A, halfA)|halfBit(a.B, halfB)|roundBit(d.products), 0).follow(a).tiles(t, t.gemm(m, n))
		},
		GroupedGEMM: func(a kernels.GroupedGEMM) {
			groups, k, n := a.B.Dim(0), a.B.Dim(1), a.B.Dim(2)
			if d.warpgroupProduct(a, kernels.GEMM{}, groups) {
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

// follow adds what follows a product element by element.
func (c call) follow(a kernels.GEMM) call {
	return c.ptr(a.Bias).flag(a.Accumulate).i32(int(a.F)).optional(a.Pre).ptr(a.Scale).optional(a.Residual)
}
