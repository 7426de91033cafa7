package autograd

import (
	"artel/internal/nvtx"
	"artel/kernels"
	"artel/param"
	"artel/tensor"
)

type experts struct {
	x, w, y  *Var
	h        tensor.Tensor
	plan     *kernels.Plan
	up, down *param.Bank
	gate     kernels.Gate
}

var expertsKind = NewKind[experts]("experts")

// Experts is a sparse mixture: y[t,:] = sum over picks k of w[t,k] * f_e(x[t,:]) with e the expert of pick k and
// f_e(x) = act(x*Up_e)*Down_e.
//
// Rows are gathered into the first product and summed back after the second one. What is saved for the backward pass is x, the
// pre-activation, w and the plan: expert outputs are not needed, because the gradient of a weight is <dA', A> with dA' the
// cotangent of the unweighted activation. Where products round to bfloat16 and the backend reads it, the pre-activation is saved as bfloat16 and the activation is that
// of the rounded numbers.
//
//	x [T,D]  w [T,K] or nil (ones)  up: [E] of [D,gate.Width(F)]  down: [E] of [F,D]  y [T,D]
func Experts(t *Tape, x, w *Var, plan *kernels.Plan, up, down *param.Bank, gate kernels.Gate) *Var {
	if t.err != nil {
		return t.Bad()
	}
	uv, dv := up.Operand(), down.Operand()
	f := dv.Dim(1)
	if uv.Dim(1) != x.Cols() || uv.Dim(2) != gate.Width(f) || uv.Dim(0) != plan.E || dv.Dim(0) != plan.E || plan.T != x.Rows() {
		t.Failf("experts: input %v, up %v, down %v, plan of %d tokens to %d experts do not fit", x.Value, uv, dv, plan.T, plan.E)
		return t.Bad()
	}
	op := expertsKind.New(t)
	routed := plan.T * plan.K
	y := t.NewVar(t.New(x.Rows(), dv.Dim(2)), x.Space)
	*op = experts{x: x, w: w, y: y, h: t.NewOperand(routed, uv.Dim(2)), plan: plan, up: up, down: down, gate: gate}

	nvtx.Push(expertRange)
	defer nvtx.Pop()
	m := t.arena.Mark()
	a, out := t.NewOperand(routed, f), t.New(routed, dv.Dim(2))
	t.be.GroupedGated(kernels.GroupedGated{X: x.Value, Index: plan.Token, B: uv, H: op.h, A: a, Off: plan.Off, Gate: gate})
	t.be.GroupedGEMM(kernels.GroupedGEMM{A: a, B: dv, C: out, Off: plan.Off})
	sum := kernels.GatherSum{Dst: y.Value, Src: out, Inv: plan.Inv}
	if w != nil {
		sum.W = w.Value
	}
	t.be.GatherSum(sum)
	t.arena.Release(m)
	if w == nil {
		return t.Record("experts", op, y, true, x)
	}
	return t.Record("experts", op, y, true, x, w)
}

// expertRange is what a profiler shows around the products of experts.
var expertRange = nvtx.New("experts")

func (o *experts) Backward(t *Tape) {
	nvtx.Push(expertRange)
	defer nvtx.Pop()
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	dx, acc, needX := t.Into(o.x)
	var dw tensor.Tensor
	var accW, needW bool
	if o.w != nil {
		dw, accW, needW = t.Into(o.w)
	}
	held := t.sink.Holds(o.up.Experts[0].Group)
	kept := dy
	if held { // what comes next adds to dy's memory
		kept = t.New(dy.Dim(0), dy.Dim(1))
		t.be.Copy(kernels.Copy{Dst: kept, Src: dy})
	} else {
		m := t.arena.Mark()
		defer t.arena.Release(m)
	}

	p := o.plan
	f := o.down.Experts[0].Shape()[0]
	routed, crouted := p.T*p.K, p.C*p.K

	var scale tensor.Tensor // weight of every routed row
	if o.w != nil {
		scale = t.New(routed)
		t.be.GatherRows(kernels.GatherRows{Dst: scale.Reshape(routed, 1), Src: o.w.Value.Reshape(routed, 1), Index: p.Slot})
	}
	dh := t.overwritten(o.h, p.CAct, crouted)
	var ds tensor.Tensor
	if needW {
		ds = t.New(crouted)
	}
	last := t.arena.Mark() // what comes now is short-lived
	a := t.NewOperand(routed, f)
	grad := kernels.GroupedGatedGrad{
		DY: dy, Index: p.CToken, B: o.down.Operand().Swap(1, 2), Off: p.COff, H: o.h, Act: p.CAct, Scale: scale,
		DH: dh, DScale: ds, DA: t.New(crouted, f), Gate: o.gate,
	}
	if !p.CAct.Ok() { // every cotangent row meets its own activation row anyway
		grad.A = a
	}
	t.be.GroupedGatedGrad(grad)
	if p.CAct.Ok() {
		t.be.Gated(kernels.Gated{A: a, H: o.h, Scale: scale, Rows: p.Off.Narrow(0, p.E, 1), Gate: o.gate})
	}
	t.gradBank(o.down, kernels.GradW{X: a, DY: kept, YIndex: p.CToken, Segs: p.Segs})
	if !held {
		t.arena.Release(last)
	}
	t.gradBank(o.up, kernels.GradW{X: o.x.Value, XIndex: p.Token, DY: dh, Segs: p.Segs})

	if needX {
		dxr := t.New(crouted, o.x.Cols())
		t.be.GroupedGEMM(kernels.GroupedGEMM{A: dh, B: o.up.Operand().Swap(1, 2), C: dxr, Off: p.COff})
		t.be.GatherSum(kernels.GatherSum{Dst: dx, Src: dxr, Inv: p.CInv, Accumulate: acc})
	}
	if needW {
		picked := dw.Reshape(crouted, 1)
		if accW {
			picked = t.New(crouted, 1)
		}
		t.be.GatherRows(kernels.GatherRows{Dst: picked, Src: ds.Reshape(crouted, 1), Index: p.CInv.Reshape(crouted)})
		if accW {
			t.be.Axpy(kernels.Axpy{Dst: dw.Reshape(crouted, 1), Src: picked, Alpha: 1, Accumulate: true})
		}
	}
}

// overwritten returns memory for the gradient of a saved pre-activation, of so many cotangent rows: its own, but where that is read again, by other cotangent
// rows or another backward pass.
func (t *Tape) overwritten(h, act tensor.Tensor, rows int) tensor.Tensor {
	if act.Ok() || t.sink.Streaming() {
		return t.NewOperand(rows, h.Dim(1))
	}
	return h
}

// gradBank makes the gradient of a bank, or leaves its operands to the sink.
func (t *Tape) gradBank(b *param.Bank, g kernels.GradW) {
	if t.sink.Holds(b.Experts[0].Group) {
		t.sink.Hold(b, g, t.reached(g.Segs))
		return
	}
	g.Dst, g.Touched = t.sink.BankRows(b)
	t.be.GradW(g)
}

// Banks visits the banks of experts that the recording uses, whether every row there belongs to one task, and the number of routed rows.
func (t *Tape) Banks(visit func(b *param.Bank, owned bool, routed int)) {
	for i := range t.nodes {
		if o, ok := t.nodes[i].op.(*experts); ok {
			owned := o.x.Space.Owned && !o.plan.CAct.Ok()
			visit(o.up, owned, o.plan.T*o.plan.K)
			visit(o.down, owned, o.plan.T*o.plan.K)
		}
	}
}

func (o *experts) Uses(visit func(*param.Param, uint64)) {
	for _, b := range []*param.Bank{o.up, o.down} {
		for _, p := range b.Experts {
			visit(p, o.y.reach)
		}
	}
}
