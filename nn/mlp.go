package nn

import (
	"artel/autograd"
	"artel/kernels"
	"artel/param"

	"github.com/pkg/errors"
)

// MLP is the feed-forward network act(x*Up)*Down; with kernels.SwiGLU that is (silu(x*G) * x*U)*Down (Shazeer 2020, arXiv 2002.05202).
type MLP struct {
	Up, Down *param.Param // [D,Gate.Width(F)], [F,D]
	Gate     kernels.Gate
}

// NewMLP declares name.up and name.down for width D and hidden width F.
func NewMLP(b *param.Builder, key param.Key, name string, width, hidden int, gate kernels.Gate) *MLP {
	return &MLP{
		Up:   b.Add(key, name+".up", true, XavierUniform(width, hidden), width, gate.Width(hidden)),
		Down: b.Add(key, name+".down", true, XavierUniform(hidden, width), hidden, width),
		Gate: gate,
	}
}

// Forward maps rows [N,D] to [N,D].
func (m *MLP) Forward(t *autograd.Tape, x *autograd.Var) *autograd.Var {
	return autograd.MLP(t, x, m.Up, m.Down, m.Gate, nil)
}

// ForwardAdd is Forward plus residual [N,D], in the same pass.
func (m *MLP) ForwardAdd(t *autograd.Tape, x, residual *autograd.Var) *autograd.Var {
	return autograd.MLP(t, x, m.Up, m.Down, m.Gate, residual)
}

// ParseGate returns the gate that a config file names.
func ParseGate(name string) (kernels.Gate, error) {
	g, ok := kernels.ParseGate(name)
	if !ok {
		return g, errors.Errorf("gate %q, want one of %v", name, kernels.GateNames())
	}
	return g, nil
}
