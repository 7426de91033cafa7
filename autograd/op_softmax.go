package autograd

import "artel/kernels"

type softmax struct{ x, y *Var }

var softmaxKind = NewKind[softmax]("softmax")

// Softmax normalises every row: y = exp(x) / sum exp(x).
func Softmax(t *Tape, x *Var) *Var {
	if t.err != nil {
		return t.Bad()
	}
	op := softmaxKind.New(t)
	y := t.NewVar(t.New(x.Rows(), x.Cols()), x.Space)
	*op = softmax{x: x, y: y}
	t.be.Softmax(kernels.Softmax{Y: y.Value, X: x.Value})
	return t.Record("softmax", op, y, false, x)
}

func (o *softmax) Backward(t *Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	if dx, acc, ok := t.Into(o.x); ok {
		t.be.SoftmaxGrad(kernels.SoftmaxGrad{DX: dx, Y: o.y.Value, DY: dy, Act: o.x.Space.Act, Accumulate: acc})
	}
}
