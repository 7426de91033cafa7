package optim

import (
	"artel/kernels"

	"github.com/pkg/errors"
)

func init() {
	Register(Entry{
		Name:   "sgd",
		Ref:    "momentum: Polyak 1964; Nesterov: Sutskever et al. 2013; order of torch.optim.SGD",
		Doc:    "g += decay*p; m = mu*m + (1-dampening)*g, m = g at first; d = g + mu*m (nesterov) or m; p -= lr*d",
		Ops:    []string{"SGD"},
		Golden: []string{"sgd"},
		Config: func() any { return &SGDConfig{} },
		New: func(cfg any) (Rule, error) {
			c := *cfg.(*SGDConfig)
			err := first(below("momentum", c.Momentum), within("dampening", c.Dampening, 0, 1))
			if err == nil && c.Nesterov && (c.Momentum == 0 || c.Dampening != 0) {
				err = errors.Errorf("nesterov needs momentum above 0 and dampening 0, got momentum %v and dampening %v", c.Momentum, c.Dampening)
			}
			return sgd{c}, err
		},
	})
}

// SGDConfig holds the options of sgd.
type SGDConfig struct {
	Momentum  float64 `yaml:"momentum" doc:"share of the last update that is kept" range:"0..<1"`
	Dampening float64 `yaml:"dampening" doc:"share of the gradient that does not enter the momentum" range:"0..1"`
	Nesterov  bool    `yaml:"nesterov" doc:"look ahead along the momentum"`
}

type sgd struct{ SGDConfig }

func (s sgd) Slots() []string {
	if s.Momentum == 0 {
		return nil
	}
	return []string{"momentum"}
}

func (s sgd) Update(b *kernels.Backend, r *Run) error {
	a := kernels.SGD{
		P: r.P, G: r.G, LR: r.LR, Decay: r.Decay, Scale: 1, By: r.Scale,
		Momentum: s.Momentum, Dampening: s.Dampening, Nesterov: s.Nesterov, First: r.Step == 1,
	}
	if s.Momentum != 0 {
		a.M = r.Slots[0]
	}
	b.SGD(a)
	return nil
}
