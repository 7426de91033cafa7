package autograd

import (
	"artel/kernels"
	"artel/param"
)

type linear struct {
	x, y *Var
	w, b *param.Param
}

var linearKind = NewKind[linear]("linear")

// Linear is y = x*W + b.
//
//	x [N,in]  W [in,out]  b [out] or nil  y [N,out]
func Linear(t *Tape, x *Var, w, b *param.Param) *Var {
	if t.err != nil {
		return t.Bad()
	}
	if s := w.Shape(); len(s) != 2 || x.Cols() != s[0] || b != nil && b.Len() != s[1] {
		t.Failf("linear: %s: input %v does not fit weights %v", w.Name, x.Value, s)
		return t.Bad()
	}
	op := linearKind.New(t)
	y := t.NewVar(t.New(x.Rows(), w.Shape()[1]), x.Space)
	*op = linear{x: x, y: y, w: w, b: b}
	g := kernels.GEMM{A: x.Value, B: w.Value, C: y.Value}
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
	if dx, acc, ok := t.Into(o.x); ok {
		t.be.GEMM(kernels.GEMM{A: dy, B: o.w.Value.T(), C: dx, Accumulate: acc})
	}
	dst, touched := t.sink.Rows(o.w)
	t.be.GradW(kernels.GradW{X: o.x.Value, DY: dy, Segs: o.x.Space.Segs, Dst: dst, Touched: touched})
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
