package autograd

import (
	"artel/kernels"
	"artel/rng"
)

type dropout struct {
	x, y   *Var
	stream rng.Stream
	p      float64
}

var dropoutKind = NewKind[dropout]("dropout")

// Dropout zeroes each element with probability p and scales the others by 1/(1-p). Whether an element stays depends on
// stream and the key of its row only, so nothing is saved and batches can be cut freely. Outside training it is x.
func Dropout(t *Tape, x *Var, p float64, stream rng.Stream) *Var {
	if t.err != nil {
		return t.Bad()
	}
	if !t.Training() || p == 0 {
		return x
	}
	if p < 0 || p >= 1 || !x.Space.Keys.Ok() {
		t.Failf("dropout: p = %v, row keys %v; want 0 <= p < 1 and rows with keys", p, x.Space.Keys)
		return t.Bad()
	}
	op := dropoutKind.New(t)
	y := t.NewVar(t.New(x.Rows(), x.Cols()), x.Space)
	*op = dropout{x: x, y: y, stream: stream, p: p}
	t.be.Dropout(kernels.Dropout{Dst: y.Value, X: x.Value, Keys: x.Space.Keys, Key: stream, P: p})
	return t.Record("dropout", op, y, false, x)
}

func (o *dropout) Backward(t *Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	if dx, acc, ok := t.Into(o.x); ok {
		s := o.x.Space
		t.be.Dropout(kernels.Dropout{Dst: dx, X: dy, Keys: s.Keys, Act: s.Act, Key: o.stream, P: o.p, Accumulate: acc})
	}
}

// Noise returns standard normal numbers [N,cols] for the rows of x, from stream and the rows' keys.
func Noise(t *Tape, x *Var, cols int, stream rng.Stream) *Var {
	if t.err != nil {
		return t.Bad()
	}
	if !x.Space.Keys.Ok() {
		t.Failf("noise: rows without keys")
		return t.Bad()
	}
	y := t.NewVar(t.New(x.Rows(), cols), x.Space)
	t.be.Noise(kernels.Noise{Dst: y.Value, Keys: x.Space.Keys, Key: stream})
	return y
}
