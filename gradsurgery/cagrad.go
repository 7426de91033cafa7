package gradsurgery

import (
	"math"

	"artel/internal/linalg"
)

func init() {
	Register(Entry{
		Name: "cagrad", Ref: "Liu et al. 2021, Conflict-averse gradient descent, arXiv 2110.14048, algorithm 1",
		Doc: "d = argmax min_t <g_t,d> over |d - g_0| <= c |g_0|, g_0 the mean gradient: w = 1/m + c|g_0|/|g_v| * v, v = argmin <g_0,g_v> + c|g_0||g_v| over the simplex, exact.\n" +
			"rescale 1 divides by 1+c^2, 2 by 1+c. Where 0 is a convex combination of the gradients and the ball reaches the cone {J d >= 0}, v is not unique and public codes " +
			"divide by zero or return 0; here d is then the point of that cone nearest to g_0, which still has the best worst case (0) and is the limit of smaller balls. " +
			"So a task whose gradient is zero does not stop the others. c >= 1: no conflict.",
		Traits: Traits{PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"cagrad"},
		Config: func() any { return &CAGradOptions{C: 0.4} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*CAGradOptions)
			if err := first(within("c", o.C, 0, 1e3), within("rescale", float64(o.Rescale), 0, 2)); err != nil {
				return nil, err
			}
			factor := [...]float64{1, 1 / (1 + o.C*o.C), 1 / (1 + o.C)}[o.Rescale]
			return &cagrad{c: o.C, factor: factor, hull: linalg.NewMinNorm(tasks), qp: linalg.NewNNQP(tasks), b: make([]float64, tasks),
				terms: make([]float64, tasks), rhs: make([]float64, tasks), y: make([]float64, tasks)}, nil
		},
	})
}

// CAGradOptions are the options of "cagrad".
type CAGradOptions struct {
	C       float64 `yaml:"c" doc:"radius of the ball around the mean gradient, relative to its length; 0 = mean, >= 1 = no conflict" range:"0..1000"`
	Rescale int     `yaml:"rescale" doc:"0 as in the paper; 1 divides the update by 1+c^2, 2 by 1+c" range:"0..2"`
}

type cagrad struct {
	c, factor        float64
	hull             *linalg.MinNorm
	qp               *linalg.NNQP
	b, terms, rhs, y []float64 // [m] <g_t,g_0>, size of its terms, right-hand side, multipliers
}

func (*cagrad) Needs() Needs { return Needs{Level: Gram, Batches: 1} }

func (p *cagrad) Weights(in *Input, w []float64) error {
	m, g := len(w), in.Gram
	b, y := p.b[:m], p.y[:m]
	u := 1 / float64(m)
	low := math.Inf(1)
	for i := range b {
		b[i], p.terms[i] = 0, 0
		for _, v := range g[i*m : i*m+m] {
			b[i] += u * v
			p.terms[i] += u * math.Abs(v)
		}
		low = min(low, b[i])
	}
	k := p.c * math.Sqrt(max(0, meanOf(b))) // the radius c|g_0|
	clear(y)
	if k > 0 {
		if err := p.multipliers(g, k, low, y); err != nil {
			return err
		}
	}
	for t := range w {
		w[t] = p.factor * (u + y[t])
	}
	return nil
}

// multipliers writes y >= 0 with d = g_0 + J^T y. For a level x, y(x) = argmin 1/2 y^T G y - (x - b)^T y is the shortest step that
// lifts every <g_t,d> to x; its length grows with x, and the wanted x is where it is k. With v = y/sum(y), the next level
// b^T v + k|g_v| is both the Newton step and, by duality, an upper bound of the wanted one: from above it falls to it.
func (p *cagrad) multipliers(g []float64, k, low float64, y []float64) error {
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
func (p *cagrad) lift(g []float64, level float64, y []float64) error {
	rhs := p.rhs[:len(y)]
	for t := range rhs {
		rhs[t] = level - p.b[t]
		p.terms[t] = max(p.terms[t], math.Abs(level))
	}
	return p.qp.Solve(g, rhs, p.terms[:len(y)], y)
}
