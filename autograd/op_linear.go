package autograd

import (
	"artel/kernels"
	"artel/param"
	"artel/tensor"
)

type linear struct {
	x, y *Var
	w, b *param.Param
	f    kernels.Unary
	pre  tensor.Tensor // x*W + b, where f's derivative needs it
}

var linearKind = NewKind[linear]("linear")

// Linear is y = x*W + b.
//
//	x [N,in]  W [in,out]  b [out] or nil  y [N,out]
func Linear(t *Tape, x *Var, w, b *param.Param) *Var { return LinearMap(t, x, w, b, kernels.Identity) }

// LinearMap is y = f(x*W + b) in one pass, for sums that nothing else reads.
//
//	x [N,in]  W [in,out]  b [out] or nil  y [N,out]
func LinearMap(t *Tape, x *Var, w, b *param.Param, f kernels.Unary) *Var {
	if t.err != nil {
		return t.Bad()
	}
	if s := w.Shape(); len(s) != 2 || x.Cols() != s[0] || b != nil && b.Len() != s[1] {
		t.Failf("linear: %s: input %v does not fit weights %v", w.Name, x.Value, s)
		return t.Bad()
	}
	op := linearKind.New(t)
	y := t.NewVar(t.New(x.Rows(), w.Shape()[1]), x.Space)
	*op = linear{x: x, y: y, w: w, b: b, f: f}
	if f != kernels.Identity && f != kernels.ReLU && t.Training() { // the derivative of ReLU is that at its value
		op.pre = t.New(x.Rows(), w.Shape()[1])
	}
	g := kernels.GEMM{A: x.Value, B: w.Operand(), C: y.Value, F: f, Pre: op.pre}
	if b != nil {
		g.Bias = b.Value
	}
	t.be.GEMM(g)
	return t.Record("linear", op, y, true, x)
}

func (o *linear) Backward(t *Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	dx, acc, need := t.Into(o.x)
	m := t.arena.Mark()
	defer t.arena.Release(m)
	if o.f != kernels.Identity {
		at, dh := o.pre, t.New(dy.Dim(0), dy.Dim(1))
		if !at.Ok() {
			at = o.y.Value
		}
		t.be.MapGrad(kernels.MapGrad{DX: dh, X: at, DY: dy, Act: o.x.Space.Act, F: o.f})
		dy = dh
	}
	if need {
		t.be.GEMM(kernels.GEMM{A: dy, B: o.w.Operand().T(), C: dx, Accumulate: acc})
	}
	t.gradWeight(o.w, o.x.Value, dy, o.x.Space.Segs)
	if o.b != nil {
		dst, touched := t.sink.Rows(o.b)
		t.be.GradB(kernels.GradB{DY: dy, Segs: o.x.Space.Segs, Dst: dst, Touched: touched})
	}
}

func (o *linear) Uses(visit func(*param.Param, uint64)) {
	visit(o.w, o.y.reach)
	if o.b != nil {
		visit(o.b, o.y.reach)
	}
}
