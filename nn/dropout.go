package nn

import (
	"artel/autograd"
	"artel/rng"
)

// Dropout zeroes elements with probability P and scales the others by 1/(1-P) while training. What it drops depends on the layer's
// stream and the key of the row alone (see autograd.Dropout).
type Dropout struct {
	P      float64
	Stream rng.Stream
}

// NewDropout returns the dropout of a named layer.
func NewDropout(name string, p float64, stream rng.Stream) *Dropout {
	return &Dropout{P: p, Stream: stream.Sub("dropout/" + name)}
}

// Active reports whether the layer changes anything in this recording.
func (d *Dropout) Active(t *autograd.Tape) bool { return t.Training() && d.P > 0 }

// Forward drops elements of rows [N,D].
func (d *Dropout) Forward(t *autograd.Tape, x *autograd.Var) *autograd.Var {
	return autograd.Dropout(t, x, d.P, d.Stream)
}
