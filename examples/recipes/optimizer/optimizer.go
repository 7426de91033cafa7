// Package optimizer adds an update rule: Signum.
package optimizer

import (
	"artel/kernels"
	"artel/optim"
)

func init() {
	optim.Register(optim.Entry{
		Name:   "example_signum",
		Ref:    "Bernstein et al. 2018 (arXiv 1802.04434), Signum, with decoupled weight decay",
		Doc:    "m = b*m + (1-b)*g; p -= lr * (sign(m) + decay*p)",
		Ops:    []string{"Lion"}, // a backend without this kernel is refused, by name
		Config: func() any { return &Options{Beta: 0.9} },
		New:    func(cfg any) (optim.Rule, error) { return signum{*cfg.(*Options)}, nil },
	})
}

// Options are what a config file can set.
type Options struct {
	Beta float64 `yaml:"beta" doc:"decay of the momentum" range:"0..<1"`
}

type signum struct{ Options }

// Slots names the state; a checkpoint saves it, and a resumed run has it back bit for bit.
func (signum) Slots() []string { return []string{"momentum"} }

// Update is Lion with equal betas. Arithmetic on parameters is always a kernel: the rule does not know where they are.
func (s signum) Update(b *kernels.Backend, r *optim.Run) error {
	b.Lion(kernels.Lion{P: r.P, G: r.G, M: r.Slots[0], LR: r.LR, Beta1: s.Beta, Beta2: s.Beta, Decay: r.Decay, Scale: 1, By: r.Scale})
	return nil
}
