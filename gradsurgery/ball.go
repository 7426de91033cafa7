package gradsurgery

import (
	"math"

	"artel/internal/linalg"
)

// ball finds the step with the best worst case in a ball around a mixture of gradients: the problem of CAGrad.
type ball struct {
	c, factor        float64
	hull             *linalg.MinNorm
	qp               *linalg.NNQP
	b, terms, rhs, y []float64 // [m] <g_t,g_0>, size of its terms, right-hand side, multipliers
}

// newBall makes a solver for a radius of c |g_0|; rescale 1 divides the step by 1+c^2, 2 by 1+c.
func newBall(c float64, rescale, rows int) *ball {
	factor := [...]float64{1, 1 / (1 + c*c), 1 / (1 + c)}[rescale]
	return &ball{c: c, factor: factor, hull: linalg.NewMinNorm(rows), qp: linalg.NewNNQP(rows), b: make([]float64, rows),
		terms: make([]float64, rows), rhs: make([]float64, rows), y: make([]float64, rows)}
}

// weights writes w = factor (u + y): the step that has the largest min_t <g_t,d> within c |g_0| of g_0 = J^T u, u >= 0 [m].
func (p *ball) weights(g, u, w []float64) error {
	m := len(w)
	b, y := p.b[:m], p.y[:m]
	low, square := math.Inf(1), 0.0
	for i := range b {
		b[i], p.terms[i] = 0, 0
		for j, v := range g[i*m : i*m+m] {
			b[i] += u[j] * v
			p.terms[i] += u[j] * math.Abs(v)
		}
		low = min(low, b[i])
		square += u[i] * b[i]
	}
	k := p.c * math.Sqrt(max(0, square)) // the radius c|g_0|
	clear(y)
	if k > 0 {
		if err := p.multipliers(g, k, low, y); err != nil {
			return err
		}
	}
	for t := range w {
		w[t] = p.factor * (u[t] + y[t])
	}
	return nil
}

// multipliers writes y >= 0 with d = g_0 + J^T y. For a level x, y(x) = argmin 1/2 y^T G y - (x - b)^T y is the shortest step that
// lifts every <g_t,d> to x; its length grows with x, and the wanted x is where it is k. With v = y/sum(y), the next level
// b^T v + k|g_v| is both the Newton step and, by duality, an upper bound of the wanted one: from above it falls to it.
func (p *ball) multipliers(g []float64, k, low float64, y []float64) error {
	m := len(y)
	q, err := p.hull.Solve(g, y)
	if err != nil {
		return err
	}
	var reach float64 // sum_t v_t |g_t|: what |g_v| is the rest of
	for t, v := range y {
		reach += v * math.Sqrt(g[t*m+t])
	}
	// Where 0 is a convex combination, no d has all <g_t,d> > 0: level 0 is the most there is.
	near := q <= 1e-14*float64(m)*reach*reach
	if near && low >= 0 {
		clear(y) // and g_0 is there
		return nil
	}
	best, length := math.Inf(1), math.Sqrt(q)
	for range 100 {
		level := 0.0
		if !near {
			var sum, linear float64
			for t, v := range y {
				sum += v
				linear += v * p.b[t]
			}
			level = (linear + k*length) / sum
		}
		if !(level < best) || level <= low {
			break
		}
		if err := p.lift(g, level, y); err != nil {
			return err
		}
		length = math.Sqrt(max(0, linalg.Quad(g, y)))
		if near && length <= k {
			return nil // and it is inside the ball
		}
		best, near = level, false
		if length <= k*(1+1e-15) {
			break
		}
	}
	if length > 0 {
		for t := range y {
			y[t] *= k / length
		}
	}
	return nil
}

// lift writes y(level).
func (p *ball) lift(g []float64, level float64, y []float64) error {
	rhs := p.rhs[:len(y)]
	for t := range rhs {
		rhs[t] = level - p.b[t]
		p.terms[t] = max(p.terms[t], math.Abs(level))
	}
	return p.qp.Solve(g, rhs, p.terms[:len(y)], y)
}
