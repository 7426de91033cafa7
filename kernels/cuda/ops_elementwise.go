package cuda

import "artel/kernels"

func (d *device) elementwise() kernels.Elementwise {
	return kernels.Elementwise{
		Map: func(a kernels.Map) {
			n, m := a.Dst.Dim(0), a.Dst.Dim(1)
			d.op("elementwise", "map").mat(a.Dst).mat(a.X).i64(n, m).i32(int(a.F)).over(n * m)
		},
		MapGrad: func(a kernels.MapGrad) {
			n, m := a.DX.Dim(0), a.DX.Dim(1)
			d.op("elementwise", "map_grad").mat(a.DX).mat(a.X).mat(a.DY).ptr(a.Act).i64(n, m).i32(int(a.F)).flag(a.Accumulate).over(n * m)
		},
		Mul: func(a kernels.Mul) {
			n, m := a.Dst.Dim(0), a.Dst.Dim(1)
			d.op("elementwise", "mul").mat(a.Dst).mat(a.X).mat(a.Y).ptr(a.Act).i64(n, m).flag(a.Accumulate).over(n * m)
		},
		Gated: func(a kernels.Gated) {
			n, m := a.A.Dim(0), a.A.Dim(1)
			d.op("elementwise", "gated").mat(a.A).mat(a.H).ptr(a.Scale).ptr(a.Rows).i64(n, m).i32(int(a.Gate), halfBit(a.H, 1)|halfBit(a.A, 2)).over(n * m)
		},
		GatedGrad: func(a kernels.GatedGrad) {
			n, m := a.DA.Dim(0), a.DA.Dim(1)
			d.op("elementwise", "gated_grad").mat(a.DH).ptr(a.DScale).mat(a.H).mat(a.DA).ptr(a.Act).ptr(a.Scale).ptr(a.Rows).i64(n, m).i32(int(a.Gate)).flag(a.Accumulate).i32(halfBit(a.H, 1) | halfBit(a.DH, 2)).warps(n)
		},
		RowScale: func(a kernels.RowScale) {
			n, m := a.Dst.Dim(0), a.Dst.Dim(1)
			d.op("elementwise", "row_scale").mat(a.Dst).ptr(a.S).mat(a.Y).ptr(a.Act).i64(n, m).flag(a.Accumulate).over(n * m)
		},
		RowDot: func(a kernels.RowDot) {
			n, m := a.Y.Dim(0), a.Y.Dim(1)
			d.op("elementwise", "row_dot").ptr(a.Dst).mat(a.X).mat(a.Y).ptr(a.Act).i64(n, m).flag(a.Accumulate).warps(n)
		},
		Dropout: func(a kernels.Dropout) {
			n, m := a.Dst.Dim(0), a.Dst.Dim(1)
			d.op("elementwise", "dropout").mat(a.Dst).mat(a.X).mat(a.Keys).ptr(a.Act).i64(n, m).u64(a.Key.Key).f64(a.P).flag(a.Accumulate).over(n * ((m + 3) / 4))
		},
		AddByRow: func(a kernels.AddByRow) {
			n, m := a.Dst.Dim(0), a.Dst.Dim(1)
			d.op("elementwise", "add_by_row").mat(a.Dst).mat(a.X).mat(a.Table).ptr(a.Row).i64(n, m).over(n * m)
		},
		Noise: func(a kernels.Noise) {
			n, m := a.Dst.Dim(0), a.Dst.Dim(1)
			d.op("elementwise", "noise").mat(a.Dst).mat(a.Keys).i64(n, m).u64(a.Key.Key).over(n * m)
		},
	}
}
