package nn

import (
	"artel/autograd"
	"artel/kernels"
	"artel/param"
)

// Linear is y = x*W + b.
type Linear struct {
	W *param.Param // [in,out]
	B *param.Param // [out], or nil
}

// NewLinear declares name.weight and, with bias, name.bias (zeros).
func NewLinear(b *param.Builder, key param.Key, name string, in, out int, bias bool, init param.Init) *Linear {
	l := &Linear{W: b.Add(key, name+".weight", true, init, in, out)}
	if bias {
		l.B = b.Add(key, name+".bias", false, Zeros, out)
	}
	return l
}

// Forward maps rows [N,in] to [N,out].
func (l *Linear) Forward(t *autograd.Tape, x *autograd.Var) *autograd.Var {
	return autograd.Linear(t, x, l.W, l.B)
}

// ForwardMap maps rows [N,in] to f(y) [N,out], in the same pass.
func (l *Linear) ForwardMap(t *autograd.Tape, x *autograd.Var, f kernels.Unary) *autograd.Var {
	return autograd.LinearMap(t, x, l.W, l.B, f)
}
