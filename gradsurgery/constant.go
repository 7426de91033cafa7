package gradsurgery

import "math"

func init() {
	Register(fixedWeights("constant"))
	Register(fixedWeights("fixed"))
}

func fixedWeights(name string) Entry {
	return Entry{
		Name: name, Ref: "fixed scalarisation; tuned, it is the baseline every method has to beat (Kurin et al. 2022, arXiv 2201.04122)",
		Doc:    "w_t = weights[t], 1 where no list is given; absent tasks do not change the others",
		Traits: Traits{LinearUnderScaling: true, PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Config: func() any { return &ConstantOptions{} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			w, err := perTask("weights", cfg.(*ConstantOptions).Weights, 1, tasks, 0, math.Inf(1))
			return constant(w), err
		},
	}
}

// ConstantOptions are the options of "constant" and "fixed".
type ConstantOptions struct {
	Weights []float64 `yaml:"weights" doc:"one weight >= 0 per task, in task order; empty = 1 for every task"`
}

type constant []float64

func (constant) Needs() Needs { return Needs{Level: Losses, Batches: 1, Constant: true, Blind: true} }

func (c constant) Weights(in *Input, w []float64) error {
	for t, id := range in.Tasks {
		w[t] = c[id]
	}
	return nil
}
