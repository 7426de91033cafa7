package gradsurgery

import (
	"math"

	"github.com/pkg/errors"
)

// logs weighs by the derivative of the geometric mean of the losses, or of the sum of their logarithms.
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
