package main

import "artel/gradsurgery"

func init() {
	gradsurgery.Register(gradsurgery.Entry{
		Name: "observed_sum", Ref: "plain multi-task learning",
		Doc:    "w_t = 1, with task gradients made all the same, so that their conflicts can be counted",
		Traits: gradsurgery.Traits{LinearUnderScaling: true, PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Deterministic: true},
		Config: func() any { return &struct{}{} },
		New:    func(any, int, int) (gradsurgery.Method, error) { return observedSum{}, nil },
	})
}

type observedSum struct{}

func (observedSum) Needs() gradsurgery.Needs {
	return gradsurgery.Needs{Level: gradsurgery.Gram, Batches: 1}
}

func (observedSum) Weights(in *gradsurgery.Input, w []float64) error {
	for t := range w {
		w[t] = 1
	}
	return nil
}
