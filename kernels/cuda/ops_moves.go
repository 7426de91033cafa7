package cuda

import (
	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

func (d *device) moves() kernels.Moves {
	return kernels.Moves{
		Fill: func(dst tensor.Tensor, v float64) {
			d.op("moves", "fill").ptr(dst).i32(code4(dst.Type)).four(dst.Dim, dst.Rank(), 1).four(dst.Stride, dst.Rank(), 0).f64(v).over(dst.Len())
		},
		Copy: func(a kernels.Copy) {
			if crosses(a.Dst, a.Src) {
				d.transfer(a.Dst, a.Src)
				return
			}
			d.op("moves", "copy").ptr(a.Dst).i32(code4(a.Dst.Type)).four(a.Dst.Stride, a.Dst.Rank(), 0).
				ptr(a.Src).i32(code4(a.Src.Type)).four(a.Src.Stride, a.Src.Rank(), 0).four(a.Dst.Dim, a.Dst.Rank(), 1).over(a.Dst.Len())
		},
		Axpy: func(a kernels.Axpy) {
			n, m := rows(a.Dst), cols(a.Dst)
			d.op("moves", "axpy").mat(a.Dst).mat(a.Src).i64(n, m).f64(a.Alpha).ptr(a.By).flag(a.Accumulate).over(n * m)
		},
		GatherRows: func(a kernels.GatherRows) {
			n, m := a.Dst.Dim(0), a.Dst.Dim(1)
			d.op("moves", "gather_rows").mat(a.Dst).mat(a.Src).ptr(a.Index).i64(n, m).over(n * m)
		},
		ScatterRows: func(a kernels.ScatterRows) {
			n, m := a.Src.Dim(0), a.Src.Dim(1)
			d.op("moves", "scatter_rows").mat(a.Dst).mat(a.Src).ptr(a.Index).i64(n, m).over(m)
		},
		GatherCols: func(a kernels.GatherCols) {
			n, m := a.Dst.Dim(0), a.Dst.Dim(1)
			d.op("moves", "gather_cols").mat(a.Dst).mat(a.Src).ptr(a.Index).i64(n, m).over(n * m)
		},
		ScatterCols: func(a kernels.ScatterCols) {
			n := a.Dst.Dim(0)
			d.op("moves", "scatter_cols").mat(a.Dst).mat(a.Src).ptr(a.Index).i64(n, a.Dst.Dim(1), a.Src.Dim(1)).flag(a.Accumulate).over(n)
		},
	}
}

// code4 is the number of an element type in moves.cu.
func code4(t dtype.Type) int { return int(t) }
