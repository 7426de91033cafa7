package gradsurgery

import "math"

func init() {
	Register(Entry{
		Name: "uncertainty", Ref: "Kendall, Gal & Cipolla 2018, arXiv 1705.07115, in the log variance form s = log sigma^2",
		Doc: "loss = sum_t L_t / (2 exp(s_t)) + s_t/2, s learned; so w_t = exp(-s_t)/2 and ds_t = (1 - exp(-s_t) L_t) / 2.\n" +
			"s moves with an optimizer of its own after the weights of the step are chosen; at the optimum exp(s_t) = L_t.",
		Traits: Traits{PermutationEquivariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"uw"},
		Config: func() any { return &UncertaintyOptions{Optimizer: "adam", LR: 0.01} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*UncertaintyOptions)
			if err := within("init", o.Init, -50, 50); err != nil {
				return nil, err
			}
			l, err := newLearner(o.Optimizer, o.LR, 0, o.Init, tasks)
			return &uncertainty{l}, err
		},
	})
}

// UncertaintyOptions are the options of "uncertainty".
type UncertaintyOptions struct {
	Init      float64 `yaml:"init" doc:"first value of every s; some public codes start at -0.5" range:"-50..50"`
	Optimizer string  `yaml:"optimizer" doc:"for s alone" oneof:"adam sgd"`
	LR        float64 `yaml:"lr" doc:"learning rate of s" range:"0<.."`
}

type uncertainty struct{ s *learner }

func (u *uncertainty) Needs() Needs { return Needs{Level: Losses, Batches: 1, Own: len(u.s.x)} }

func (u *uncertainty) Weights(in *Input, w []float64) error {
	for t, id := range in.Tasks {
		e := math.Exp(-u.s.x[id])
		w[t] = e / 2
		u.s.step(id, (1-e*in.Losses[t])/2)
	}
	return nil
}

// State is s and the moments of its optimizer.
func (u *uncertainty) State() []Array { return u.s.state("log_variance") }
