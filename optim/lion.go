package optim

import "artel/kernels"

func init() {
	Register(Entry{
		Name:   "lion",
		Ref:    "Chen et al. 2023 (arXiv 2302.06675), algorithm 2",
		Doc:    "p -= lr * (sign(b1*m + (1-b1)*g) + decay*p); m = b2*m + (1-b2)*g",
		Ops:    []string{"Lion"},
		Golden: []string{"lion"},
		Config: func() any { return &LionConfig{Beta1: 0.9, Beta2: 0.99} },
		New: func(cfg any) (Rule, error) {
			c := *cfg.(*LionConfig)
			return lion{c}, first(below("beta1", c.Beta1), below("beta2", c.Beta2))
		},
	})
}

// LionConfig holds the options of lion. Its learning rate is about a tenth of AdamW's, its weight decay about ten times.
type LionConfig struct {
	Beta1 float64 `yaml:"beta1" doc:"share of the momentum in the update" range:"0..<1"`
	Beta2 float64 `yaml:"beta2" doc:"decay of the momentum" range:"0..<1"`
}

type lion struct{ LionConfig }

func (l lion) Slots() []string { return []string{"momentum"} }

func (l lion) Update(b *kernels.Backend, r *Run) error {
	b.Lion(kernels.Lion{P: r.P, G: r.G, M: r.Slots[0], LR: r.LR, Beta1: l.Beta1, Beta2: l.Beta2, Decay: r.Decay, Scale: 1, By: r.Scale})
	return nil
}
