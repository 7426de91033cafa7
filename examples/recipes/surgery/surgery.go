// Package surgery adds a surgery method: task gradients of equal length.
package surgery

import (
	"math"

	"artel/gradsurgery"
)

func init() {
	gradsurgery.Register(gradsurgery.Entry{
		Name: "example_equal_length",
		Ref:  "what GradNorm (Chen et al. 2018, arXiv 1711.02257) aims at with alpha = 0, reached at once",
		Doc:  "w_t = c / |g_t|, c such that the weights add up to m; a zero gradient gets weight 0",
		Traits: gradsurgery.Traits{
			PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Deterministic: true,
		},
		Config: func() any { return &Options{} },
		New:    func(any, int, int) (gradsurgery.Method, error) { return equalLength{}, nil },
	})
}

// Options are what a config file can set: nothing.
type Options struct{}

type equalLength struct{}

// Needs asks for the inner products of the task gradients.
func (equalLength) Needs() gradsurgery.Needs {
	return gradsurgery.Needs{Level: gradsurgery.Gram, Batches: 1}
}

// Weights sees m numbers squared, whatever the model is: in.Gram [m,m] holds <g_a, g_b>.
func (equalLength) Weights(in *gradsurgery.Input, w []float64) error {
	m, sum := len(w), 0.0
	for t := range w {
		w[t] = 0
		if sq := in.Gram[t*m+t]; sq > 0 {
			w[t] = 1 / math.Sqrt(sq)
		}
		sum += w[t]
	}
	if sum > 0 {
		for t := range w {
			w[t] *= float64(m) / sum
		}
	}
	return nil
}
