package nn

import (
	"fmt"

	"artel/autograd"
	"artel/param"
	"artel/rng"
)

// Align is covariance alignment (Wu, Zhang & Re 2020, arXiv 2005.00944, section 3.2): a square matrix per task before what the tasks share, so that tasks whose
// inputs have different covariances can meet there.
//
//	y[i,:] = x[i,:] R[task(i)], R [M] of [D,D], the identity at the start; rows must be task-owned
type Align struct{ R []*param.Param }

// NewAlign declares name.task.N for every task N. Weight decay would pull R to zero and does not apply.
func NewAlign(b *param.Builder, name string, tasks, width int) *Align {
	a := &Align{}
	identity := func(_ rng.Stream, i int) float64 {
		if i/width == i%width {
			return 1
		}
		return 0
	}
	for t := range tasks {
		key := param.Key{Kind: param.Head, Layer: fmt.Sprintf("%s.task.%d", name, t)}
		a.R = append(a.R, b.Add(key, fmt.Sprintf("%s.task.%d", name, t), false, identity, width, width))
	}
	return a
}

// Forward maps rows [N,D].
func (a *Align) Forward(t *autograd.Tape, x *autograd.Var) *autograd.Var {
	return autograd.TaskLinear(t, x, a.R)
}
