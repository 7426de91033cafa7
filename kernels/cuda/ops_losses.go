package cuda

import (
	"artel/kernels"
	"artel/tensor"
)

func (d *device) losses() kernels.Losses {
	return kernels.Losses{
		CrossEntropy: func(a kernels.CrossEntropy) {
			n, m := a.X.Dim(0), a.X.Dim(1)
			part := d.temporary(8 * n)
			d.op("losses", "cross_entropy").mat(a.X).mat(a.DX).ptr(a.Label).raw(part).i64(n, m).f32(a.Scale, a.Smoothing).warps(n)
			d.addRows(a.Loss, n, a.Scale)
		},
		BCE: func(a kernels.BCE) {
			n, m := a.X.Dim(0), a.X.Dim(1)
			part := d.temporary(8 * n)
			d.op("losses", "bce").mat(a.X).mat(a.DX).mat(a.Target).raw(part).i64(n, m).f32(a.Scale).warps(n)
			d.addRows(a.Loss, n, a.Scale)
		},
		Regression: func(a kernels.Regression) {
			n, m := a.X.Dim(0), a.X.Dim(1)
			part := d.temporary(8 * n)
			d.op("losses", "regression").mat(a.X).mat(a.DX).mat(a.Target).raw(part).i64(n, m).f32(a.Scale, a.Delta).warps(n)
			d.addRows(a.Loss, n, a.Scale)
		},
		Balance: func(a kernels.Balance) {
			n, m := a.P.Dim(0), a.P.Dim(1)
			part := d.temporary(8 * n)
			d.op("losses", "balance").mat(a.P).mat(a.DP).mat(a.Count).ptr(a.Set).ptr(a.Weight).ptr(a.Rows).raw(part).i64(n, m).f64(a.Scale).warps(n)
			d.addRows(a.Loss, n, 1)
		},
		ZLoss: func(a kernels.ZLoss) {
			n, m := a.X.Dim(0), a.X.Dim(1)
			part := d.temporary(8 * n)
			d.op("losses", "z_loss").mat(a.X).mat(a.DX).raw(part).i64(n, m).f32(a.Scale).warps(n)
			d.addRows(a.Loss, n, a.Scale)
		},
		Metrics: func(a kernels.Metrics) {
			n, m := a.X.Dim(0), a.X.Dim(1)
			d.op("losses", "metrics").mat(a.X).ptr(a.Label).ptr(a.Correct).ptr(a.Pred).i64(n, m).over(n)
		},
	}
}

// addRows adds scale times the sum of the n numbers in the scratch.
func (d *device) addRows(dst tensor.Tensor, n int, scale float64) {
	if n > 0 {
		d.op("losses", "add_rows").ptr(dst).raw(d.scratch).i64(n).f64(scale).blocks(1)
	}
}
