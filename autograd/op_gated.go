package autograd

import "artel/kernels"

type gated struct {
	h, a *Var
	gate kernels.Gate
}

var gatedKind = NewKind[gated]("gated")

// Gated is the activation of a feed-forward network: a = act(h), for SwiGLU with h = [g | u].
//
//	h [N,gate.Width(F)]  a [N,F]
func Gated(t *Tape, gate kernels.Gate, h *Var) *Var {
	if t.err != nil {
		return t.Bad()
	}
	f := h.Cols() / gate.Width(1)
	if gate.Width(f) != h.Cols() {
		t.Failf("%v: width %d is odd", gate, h.Cols())
		return t.Bad()
	}
	op := gatedKind.New(t)
	a := t.NewVar(t.New(h.Rows(), f), h.Space)
	*op = gated{h: h, a: a, gate: gate}
	t.be.Gated(kernels.Gated{A: a.Value, H: h.Value, Gate: gate})
	return t.Record("gated", op, a, false, h)
}

func (o *gated) Backward(t *Tape) {
	da, ok := t.Grad(o.a)
	if !ok {
		return
	}
	if dh, acc, ok := t.Into(o.h); ok {
		t.be.GatedGrad(kernels.GatedGrad{DH: dh, H: o.h.Value, DA: da, Act: o.h.Space.Act, Gate: o.gate, Accumulate: acc})
	}
}
