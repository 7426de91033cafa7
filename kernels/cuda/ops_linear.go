package cuda

import (
	"artel/dtype"
	"artel/kernels"
	"artel/tensor"

	"github.com/pkg/errors"
)

// products are the kernels of matrix products: their module, and the side of their tiles.
type products struct {
	module string
	side   int
}

func productsOf(t dtype.Type) products {
	if t == dtype.BF16 {
		return products{"halves", 128}
	}
	return products{"linear", 64}
}

func (p products) tiles(n int) int { return (n + p.side - 1) / p.side }

// gemm, grouped and gradW are the number of tiles, and so of blocks, of a product.
func (p products) gemm(m, n int) int { return p.tiles(m) * p.tiles(n) }

// grouped counts as many tiles as there can be, because only the device knows the groups: the rows of C cut into groups anywhere.
func (p products) grouped(rows, groups, n int) int { return (rows/p.side + groups) * p.tiles(n) }

func (p products) gradW(cells, k, n int) int { return cells * p.tiles(k) * p.tiles(n) }

func (d *device) linear() kernels.Linear {
	p := productsOf(d.products)
	return kernels.Linear{
		GEMM: func(a kernels.GEMM) {
			d.wide(a.A, a.B)
			m, n, k := a.C.Dim(0), a.C.Dim(1), a.A.Dim(1)
			d.op(p.module, "gemm").view(a.A).view(a.B).mat(a.C).ptr(a.Bias).i64(m, n, k).flag(a.Accumulate).blocks(p.gemm(m, n))
		},
		GroupedGEMM: func(a kernels.GroupedGEMM) {
			d.wide(a.A, a.B, a.C)
			groups, k, n := a.B.Dim(0), a.B.Dim(1), a.B.Dim(2)
			d.op(p.module, "grouped_gemm").view(a.A).ptr(a.Index).view(a.B).i64(a.B.Stride(0)).mat(a.C).ptr(a.Off).i32(groups, 0).i64(n, k).blocks(p.grouped(a.C.Dim(0), groups, n))
		},
		GradW: func(a kernels.GradW) {
			d.wide(a.X, a.DY)
			groups, k, n := a.Dst.Dim(0), a.Dst.Dim(2), a.Dst.Dim(3)
			d.op(p.module, "grad_w").dest(a.Dst, a.Touched).i64(a.Dst.Stride(2), a.Dst.Stride(3)).mat(a.Segs).i32(a.Segs.Dim(0), groups).
				mat(a.X).ptr(a.XIndex).mat(a.DY).ptr(a.YIndex).i64(k, n).blocks(p.gradW(cells(a.Dst), k, n))
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

// wide refuses tensors that are BF16: the backend does not say Halves.
func (d *device) wide(ts ...tensor.Tensor) {
	for i := range ts {
		if ts[i].Ok() && ts[i].Type == dtype.BF16 {
			d.fail(errors.Errorf("cuda: %v is an operand of a product; want F32, which is rounded on the way", ts[i]))
		}
	}
}
