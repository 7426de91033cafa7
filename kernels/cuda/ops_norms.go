package cuda

import (
	"artel/kernels"
	"artel/tensor"
)

func (d *device) norms() kernels.Norms {
	return kernels.Norms{
		RMSNorm: func(a kernels.RMSNorm) {
			n, m := a.X.Dim(0), a.X.Dim(1)
			d.op("norms", "rms_norm").mat(a.Y).mat(a.X).ptr(a.W).ptr(a.RStd).i64(n, m).f64(a.Eps).warps(n)
		},
		RMSNormGrad: func(a kernels.RMSNormGrad) {
			if a.DX.Ok() {
				n, m := a.DX.Dim(0), a.DX.Dim(1)
				d.op("norms", "rms_norm_grad").mat(a.DX).mat(a.X).ptr(a.W).ptr(a.RStd).mat(a.DY).ptr(a.Act).i64(n, m).flag(a.Accumulate).warps(n)
			}
			if a.DstW.Ok() {
				d.normGradW(a.DstW, a.Touched, a.Segs, a.DY, func(c call) call { return c.mat(a.X).column(a.RStd).i32(0, 0) })
			}
		},
		LayerNorm: func(a kernels.LayerNorm) {
			n, m := a.X.Dim(0), a.X.Dim(1)
			d.op("norms", "layer_norm").mat(a.Y).mat(a.X).ptr(a.W).ptr(a.B).mat(a.Stat).i64(n, m).f64(a.Eps).warps(n)
		},
		LayerNormGrad: func(a kernels.LayerNormGrad) {
			if a.DX.Ok() {
				n, m := a.DX.Dim(0), a.DX.Dim(1)
				d.op("norms", "layer_norm_grad").mat(a.DX).mat(a.X).ptr(a.W).mat(a.Stat).mat(a.DY).ptr(a.Act).i64(n, m).flag(a.Accumulate).warps(n)
			}
			if a.DstW.Ok() {
				d.normGradW(a.DstW, a.Touched, a.Segs, a.DY, func(c call) call { return c.mat(a.X).mat(a.Stat).i32(1, 0) })
			}
		},
		Softmax: func(a kernels.Softmax) {
			n, m := a.X.Dim(0), a.X.Dim(1)
			d.op("norms", "softmax").mat(a.Y).mat(a.X).i64(n, m).warps(n)
		},
		SoftmaxGrad: func(a kernels.SoftmaxGrad) {
			n, m := a.DX.Dim(0), a.DX.Dim(1)
			d.op("norms", "softmax_grad").mat(a.DX).mat(a.Y).mat(a.DY).ptr(a.Act).i64(n, m).flag(a.Accumulate).warps(n)
		},
	}
}

// normGradW adds the gradient of a norm's scale; with adds the activations, the statistics and their kind.
func (d *device) normGradW(dst, touched, segs, dy tensor.Tensor, with func(call) call) {
	n := cells(dst)
	with(d.op("norms", "norm_grad_w").dest(dst, touched).mat(segs).i32(segs.Dim(0), 0)).mat(dy).i64(dst.Dim(2)).over(n * dst.Dim(2))
	d.mark(dst, touched, segs)
}

// mark sets the flags of the destinations that the segments went to.
func (d *device) mark(dst, touched, segs tensor.Tensor) {
	d.op("linear", "mark").dest(dst, touched).mat(segs).i32(segs.Dim(0), dst.Dim(0)).over(cells(dst))
}
