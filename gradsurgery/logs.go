package gradsurgery

import (
	"math"

	"github.com/pkg/errors"
)

func init() {
	Register(Entry{
		Name: "gls", Ref: "Chennupati et al. 2019, MultiNet++: geometric loss strategy, arXiv 1904.08492",
		Doc:    "loss = (prod_t L_t)^(1/m), so w_t = loss / (m L_t). Losses must be positive.",
		Traits: Traits{PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"gls"},
		Config: func() any { return &GLSOptions{} },
		New:    func(any, int, int) (Method, error) { return logs{geometric: true}, nil },
	})
	Register(Entry{
		Name: "si", Ref: "scale-invariant baseline of Navon et al. 2022, arXiv 2202.01017",
		Doc:    "loss = sum_t log L_t, so w_t = 1/L_t. Losses must be positive.",
		Traits: Traits{PermutationEquivariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Config: func() any { return &SIOptions{} },
		New:    func(any, int, int) (Method, error) { return logs{}, nil },
	})
}

// GLSOptions are the options of "gls": none.
type GLSOptions struct{}

// SIOptions are the options of "si": none.
type SIOptions struct{}

type logs struct{ geometric bool }

func (logs) Needs() Needs { return Needs{Level: Losses, Batches: 1} }

func (l logs) Weights(in *Input, w []float64) error {
	if err := positiveLosses(in); err != nil {
		return err
	}
	factor := 1.0
	if l.geometric {
		var sum float64
		for _, x := range in.Losses {
			sum += math.Log(x)
		}
		m := float64(len(w))
		factor = math.Exp(sum/m) / m
	}
	for t, x := range in.Losses {
		w[t] = factor / x
	}
	return nil
}

// positiveLosses returns an error that names a task whose loss is not positive.
func positiveLosses(in *Input) error {
	for t, x := range in.Losses {
		if !(x > 0) {
			return errors.Errorf("the loss of task %d is %v, want a positive number", in.Tasks[t], x)
		}
	}
	return nil
}
