package gradsurgery

import (
	"math"

	"artel/internal/linalg"
)

// cosines solves systems in the cosines between gradients, which are well scaled however different the lengths are.
type cosines struct {
	eig     *linalg.Eigen
	r       []float64 // [m,m]
	d, x, e []float64 // [m]
}

func newCosines(tasks int) *cosines {
	return &cosines{linalg.NewEigen(tasks), make([]float64, tasks*tasks), make([]float64, tasks), make([]float64, tasks), make([]float64, tasks)}
}

// solve replaces b [m] by D^-1 R^+ b, with 0 for zero gradients. Eigenvalues of R under 1e-12 m count as 0: what is left of a
// dependent gradient is then below the rounding of G. Without a component of b in the range of R the answer is 0.
func (c *cosines) solve(g, b []float64) error {
	m := len(b)
	r, d, x := c.r[:m*m], c.d[:m], c.x[:m]
	for t := range d {
		if d[t] = math.Sqrt(g[t*m+t]); d[t] == 0 {
			b[t] = 0
		}
	}
	for i := range r {
		if r[i] = 0; d[i/m] > 0 && d[i%m] > 0 {
			r[i] = g[i] / d[i/m] / d[i%m]
		}
	}
	if _, err := c.eig.PseudoSolve(r, b, x, c.e[:m], 1e-12*float64(m)); err != nil {
		return err
	}
	// R x must reproduce something of b; else x is rounding.
	if linalg.Dot(b, x) <= 1e-10*linalg.Dot(b, b) {
		clear(b)
		return nil
	}
	for t := range b {
		if b[t] = 0; d[t] > 0 {
			b[t] = x[t] / d[t]
		}
	}
	return nil
}
