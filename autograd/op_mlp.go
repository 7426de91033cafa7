package autograd

import (
	"artel/dtype"
	"artel/kernels"
	"artel/param"
	"artel/tensor"
)

type mlp struct {
	x, residual, y *Var
	h              tensor.Tensor
	up, down       *param.Param
	gate           kernels.Gate
}

var mlpKind = NewKind[mlp]("mlp")

// MLP is the feed-forward network y = act(x*Up)*Down (+ residual), its activation and the sum in one pass with the products.
//
// What is saved for the backward pass is x and the pre-activation, the latter in the type that Experts uses.
//
//	x [N,D]  up [D,gate.Width(F)]  down [F,out]  residual [N,out] or nil  y [N,out]
func MLP(t *Tape, x *Var, up, down *param.Param, gate kernels.Gate, residual *Var) *Var {
	if t.err != nil {
		return t.Bad()
	}
	u, d := up.Shape(), down.Shape()
	if len(u) != 2 || len(d) != 2 || u[0] != x.Cols() || u[1] != gate.Width(d[0]) {
		t.Failf("mlp: input %v, %s %v, %s %v with %v do not fit", x.Value, up.Name, u, down.Name, d, gate)
		return t.Bad()
	}
	if residual != nil && (residual.Space != x.Space || residual.Cols() != d[1]) {
		t.Failf("mlp: %v and %v differ in shape or rows", residual.Value, down.Name)
		return t.Bad()
	}
	op := mlpKind.New(t)
	y := t.NewVar(t.New(x.Rows(), d[1]), x.Space)
	*op = mlp{x: x, residual: residual, y: y, up: up, down: down, gate: gate}
	if t.Training() {
		op.h = t.NewOperand(x.Rows(), u[1])
	}
	m := t.arena.Mark()
	h, a := op.h, t.NewOperand(x.Rows(), d[0])
	if !h.Ok() {
		h = t.NewOperand(x.Rows(), u[1])
	}
	t.be.GroupedGated(kernels.GroupedGated{X: x.Value, B: bankOf(up), H: h, A: a, Off: t.oneGroup(x.Rows()), Gate: gate})
	g := kernels.GEMM{A: a, B: down.Operand(), C: y.Value}
	if residual != nil {
		g.Residual = residual.Value
	}
	t.be.GEMM(g)
	t.arena.Release(m)
	if residual == nil {
		return t.Record("mlp", op, y, true, x)
	}
	return t.Record("mlp", op, y, true, x, residual)
}

// bankOf views a matrix as a bank of one expert.
func bankOf(p *param.Param) tensor.Tensor {
	s := p.Shape()
	return p.Operand().Reshape(1, s[0], s[1])
}

// oneGroup is the offsets of one group with all of n rows.
func (t *Tape) oneGroup(n int) tensor.Tensor {
	off := t.NewShared(dtype.I32, 2)
	off.I32()[0], off.I32()[1] = 0, int32(n)
	return off
}

func (o *mlp) Backward(t *Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	dx, acc, need := t.Into(o.x)
	m := t.arena.Mark()
	act, segs := o.x.Space.Act, o.x.Space.Segs
	f, c := o.down.Shape()[0], dy.Dim(0)
	dh := t.overwritten(o.h, act, c)
	a := t.NewOperand(o.x.Rows(), f)
	grad := kernels.GroupedGatedGrad{
		DY: dy, B: bankOf(o.down).Swap(1, 2), Off: t.oneGroup(c), H: o.h, Act: act,
		DH: dh, DA: t.New(c, f), Gate: o.gate,
	}
	if !act.Ok() { // every cotangent row meets its own activation row anyway
		grad.A = a
	}
	t.be.GroupedGatedGrad(grad)
	if act.Ok() {
		t.be.Gated(kernels.Gated{A: a, H: o.h, Gate: o.gate})
	}
	t.gradWeight(o.down, a, dy, segs)
	t.gradWeight(o.up, o.x.Value, dh, segs)
	if need {
		t.be.GEMM(kernels.GEMM{A: dh, B: o.up.Operand().T(), C: dx, Accumulate: acc})
	}
	t.arena.Release(m)
	if o.residual != nil {
		t.Give(o.residual, dy)
	}
}

// gradWeight makes the gradient of a matrix.
func (t *Tape) gradWeight(w *param.Param, x, dy, segs tensor.Tensor) {
	dst, touched := t.sink.Rows(w)
	t.be.GradW(kernels.GradW{X: x, DY: dy, Segs: segs, Dst: dst, Touched: touched})
}

func (o *mlp) Uses(visit func(*param.Param, uint64)) {
	visit(o.up, o.y.reach)
	visit(o.down, o.y.reach)
}
