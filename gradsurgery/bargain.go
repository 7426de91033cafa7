package gradsurgery

import (
	"errors"
	"math"

	"artel/internal/linalg"
)

// bargain shares gains by G w = w^(-1/alpha).
type bargain struct {
	alpha  float64
	solver *linalg.Balance
	hull   *linalg.MinNorm
	g      []float64 // [m,m]
}

func newBargain(alpha float64, tasks int) *bargain {
	return &bargain{alpha, linalg.NewBalance(tasks), linalg.NewMinNorm(tasks), make([]float64, tasks*tasks)}
}

func (*bargain) Needs() Needs { return Needs{Level: Gram, Batches: 1} }

func (p *bargain) Weights(in *Input, w []float64) error {
	m := len(w)
	g := p.g[:m*m]
	copy(g, in.Gram)
	var scale float64
	for t := range w {
		scale = max(scale, g[t*m+t])
	}
	if scale == 0 {
		clear(w)
		return nil
	}
	for t := range w {
		if g[t*m+t] == 0 {
			g[t*m+t] = scale // a zero gradient is a problem of its own; any length solves it
		}
	}
	if err := p.solver.Solve(g, p.alpha, w); err != nil {
		return p.stationary(g, w, err)
	}
	for t := range w {
		if in.Gram[t*m+t] == 0 {
			w[t] = 0
		}
	}
	return nil
}

// stationary turns "no solution" into w = 0 where the gradients really balance, and passes the error on where they do not.
func (p *bargain) stationary(g, w []float64, cause error) error {
	q, err := p.hull.Solve(g, w)
	if err != nil {
		return errors.Join(cause, err)
	}
	var reach float64
	for t, v := range w {
		reach += v * math.Sqrt(g[t*len(w)+t])
	}
	if math.Sqrt(q) > 1e-4*reach {
		return cause
	}
	clear(w)
	return nil
}
