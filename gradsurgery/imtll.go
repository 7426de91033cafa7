package gradsurgery

import "math"

func init() {
	Register(Entry{
		Name: "imtl_l", Ref: "Liu et al. 2021, Towards impartial multi-task learning, ICLR 2021 (IMTL-L)",
		Doc:    "loss = sum_t exp(s_t) L_t - s_t, s learned; so w_t = exp(s_t) and ds_t = exp(s_t) L_t - 1: every scaled loss tends to 1. Twice \"uncertainty\" at s = -log sigma^2.",
		Traits: Traits{PermutationEquivariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"imtl_l"},
		Config: func() any { return &IMTLLOptions{Optimizer: "adam", LR: 0.01} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*IMTLLOptions)
			l, err := newLearner(o.Optimizer, o.LR, 0, 0, tasks)
			return &imtlL{l}, err
		},
	})
}

// IMTLLOptions are the options of "imtl_l".
type IMTLLOptions struct {
	Optimizer string  `yaml:"optimizer" doc:"for s alone" oneof:"adam sgd"`
	LR        float64 `yaml:"lr" doc:"learning rate of s" range:"0<.."`
}

type imtlL struct{ s *learner }

func (u *imtlL) Needs() Needs { return Needs{Level: Losses, Batches: 1, Own: len(u.s.x)} }

func (u *imtlL) Weights(in *Input, w []float64) error {
	for t, id := range in.Tasks {
		w[t] = math.Exp(u.s.x[id])
		u.s.step(id, w[t]*in.Losses[t]-1)
	}
	return nil
}

// State is s and the moments of its optimizer.
func (u *imtlL) State() []Array { return u.s.state("log_scale") }
