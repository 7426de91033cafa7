package autograd

import "artel/kernels"

type add struct {
	x, h, y *Var
	lend    bool
}

var addKind = NewKind[add]("add")

// Add is y = x + h for equal shapes in one space; in a residual block x is the stream and h the branch.
func Add(t *Tape, x, h *Var) *Var {
	if t.err != nil {
		return t.Bad()
	}
	if x.Space != h.Space || x.Cols() != h.Cols() {
		t.Failf("add: %v and %v differ in shape or rows", x.Value, h.Value)
		return t.Bad()
	}
	op := addKind.New(t)
	y := t.NewVar(t.New(x.Rows(), x.Cols()), x.Space)
	*op = add{x: x, h: h, y: y}
	// The cotangent of y serves both inputs without a copy when h's producer reads it before anything is added to x's:
	// nothing else reads h, and whatever else reads x so far came before h was made.
	op.lend = x != h && x.parent == nil && h.parent == nil && h.lastUse < 0 && x.lastUse < h.made
	t.be.Axpy(kernels.Axpy{Dst: y.Value, Src: x.Value, Alpha: 1})
	t.be.Axpy(kernels.Axpy{Dst: y.Value, Src: h.Value, Alpha: 1, Accumulate: true})
	return t.Record("add", op, y, false, x, h)
}

func (o *add) Backward(t *Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	if o.lend || !o.x.needs {
		t.Give(o.h, dy)
	} else {
		t.Add(o.h, dy)
	}
	t.Give(o.x, dy)
}
