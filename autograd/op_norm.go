package autograd

import (
	"artel/kernels"
	"artel/param"
	"artel/tensor"
)

type rmsNorm struct {
	x, y *Var
	w    *param.Param
	rstd tensor.Tensor
}

var rmsNormKind = NewKind[rmsNorm]("rmsnorm")

// RMSNorm is y = x / sqrt(mean(x^2) + eps) * w, row by row.
//
//	x, y [N,D]  w [D] or nil
func RMSNorm(t *Tape, x *Var, w *param.Param, eps float64) *Var {
	if t.err != nil {
		return t.Bad()
	}
	if w != nil && w.Len() != x.Cols() {
		t.Failf("rmsnorm: %s: %d weights for width %d", w.Name, w.Len(), x.Cols())
		return t.Bad()
	}
	op := rmsNormKind.New(t)
	y := t.NewVar(t.New(x.Rows(), x.Cols()), x.Space)
	*op = rmsNorm{x: x, y: y, w: w, rstd: t.New(x.Rows())}
	t.be.RMSNorm(kernels.RMSNorm{Y: y.Value, X: x.Value, W: value(w), RStd: op.rstd, Eps: eps})
	return t.Record("rmsnorm", op, y, w != nil, x)
}

// value is the tensor of an optional parameter.
func value(p *param.Param) tensor.Tensor {
	if p == nil {
		return tensor.Tensor{}
	}
	return p.Value
}

func (o *rmsNorm) Backward(t *Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	k := kernels.RMSNormGrad{X: o.x.Value, W: value(o.w), RStd: o.rstd, DY: dy, Act: o.x.Space.Act, Segs: o.x.Space.Segs}
	k.DX, k.Accumulate, _ = t.Into(o.x)
	if o.w != nil {
		k.DstW, k.Touched = t.sink.Rows(o.w)
	}
	t.be.RMSNormGrad(k)
}

func (o *rmsNorm) Uses(visit func(*param.Param, uint64)) {
	if o.w != nil {
		visit(o.w, o.y.reach)
	}
}

type layerNorm struct {
	x, y *Var
	w, b *param.Param
	stat tensor.Tensor
}

var layerNormKind = NewKind[layerNorm]("layernorm")

// LayerNorm is y = (x - mean) / sqrt(var + eps) * w + b, row by row, with the biased variance.
//
//	x, y [N,D]  w, b [D] or nil
func LayerNorm(t *Tape, x *Var, w, b *param.Param, eps float64) *Var {
	if t.err != nil {
		return t.Bad()
	}
	if w != nil && w.Len() != x.Cols() || b != nil && b.Len() != x.Cols() {
		t.Failf("layernorm: weights do not fit width %d", x.Cols())
		return t.Bad()
	}
	op := layerNormKind.New(t)
	y := t.NewVar(t.New(x.Rows(), x.Cols()), x.Space)
	*op = layerNorm{x: x, y: y, w: w, b: b, stat: t.New(x.Rows(), 2)}
	t.be.LayerNorm(kernels.LayerNorm{Y: y.Value, X: x.Value, W: value(w), B: value(b), Stat: op.stat, Eps: eps})
	return t.Record("layernorm", op, y, w != nil || b != nil, x)
}

func (o *layerNorm) Backward(t *Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	s := o.x.Space
	k := kernels.LayerNormGrad{X: o.x.Value, W: value(o.w), Stat: o.stat, DY: dy, Act: s.Act, Segs: s.Segs}
	k.DX, k.Accumulate, _ = t.Into(o.x)
	if o.w != nil {
		k.DstW, k.Touched = t.sink.Rows(o.w)
	}
	t.be.LayerNormGrad(k)
	if o.b != nil {
		dst, touched := t.sink.Rows(o.b)
		t.be.GradB(kernels.GradB{DY: dy, Segs: s.Segs, Dst: dst, Touched: touched})
	}
}

func (o *layerNorm) Uses(visit func(*param.Param, uint64)) {
	for _, p := range []*param.Param{o.w, o.b} {
		if p != nil {
			visit(p, o.y.reach)
		}
	}
}
