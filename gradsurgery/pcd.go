package gradsurgery

import (
	"math"

	"artel/internal/linalg"
)

func init() {
	Register(Entry{
		Name: "pcd", Ref: "Varam et al. 2026, Not all objectives are born equal: priority-constrained descent, TMLR 2026, arXiv 2606.29521",
		Doc: "h_t = g_t / sqrt(v_t), v_t the running mean of |g_t|^2 with decay beta, bias corrected; d = argmin |d - h_p|^2 with <h_j,d> >= tau |h_j|^2 for all j but the primary task p; " +
			"g = |g_p| d / |d|. Exact. Where no d fulfils all, they are dropped (g = g_p); without a primary gradient g = 0; where the primary task is absent, w = 1.",
		Traits: Traits{LinearUnderScaling: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"pcd"},
		Config: func() any { return &PCDOptions{Tau: 0.02, Beta: 0.999} },
		New: func(cfg any, tasks, units int) (Method, error) {
			o := cfg.(*PCDOptions)
			p := &pcd{o: *o, steps: newSteps(tasks, units), mean: make([]float64, units*tasks), qp: linalg.NewNNQP(tasks), s: make([]float64, tasks),
				h: make([]float64, tasks*tasks), b: make([]float64, tasks), terms: make([]float64, tasks), y: make([]float64, tasks)}
			return p, first(within("tau", o.Tau, 0, 1), within("beta", o.Beta, 0, 0.999999), within("primary", float64(o.Primary), 0, float64(tasks-1)))
		},
	})
}

// PCDOptions are the options of "pcd".
type PCDOptions struct {
	Tau     float64 `yaml:"tau" doc:"progress that every other task gets, as a share of what its own gradient would give it" range:"0..1"`
	Beta    float64 `yaml:"beta" doc:"decay of the mean squared gradient lengths" range:"0..0.999999"`
	Primary int     `yaml:"primary" doc:"number of the task that comes first" range:"0..63"`
}

type pcd struct {
	o           PCDOptions
	steps       *steps
	mean        []float64 // [units, tasks] of |g|^2
	qp          *linalg.NNQP
	s           []float64 // [m] 1 / sqrt(v)
	h           []float64 // [n,n] inner products of the other normalised gradients
	b, terms, y []float64 // [n] what the primary gradient lacks, the size of its terms, multipliers
}

func (*pcd) Needs() Needs { return Needs{Level: Gram, Batches: 1} }

func (p *pcd) Weights(in *Input, w []float64) error {
	m, primary := len(w), -1
	p.steps.count(in)
	for t, id := range in.Tasks {
		v := &p.mean[in.Unit*p.steps.tasks+id]
		*v = p.o.Beta**v + (1-p.o.Beta)*in.Gram[t*m+t]
		p.s[t], w[t] = 0, 1
		if *v > 0 {
			p.s[t] = math.Sqrt((1 - math.Pow(p.o.Beta, p.steps.of(in, id))) / *v)
		}
		if id == p.o.Primary {
			primary = t
		}
	}
	if primary < 0 {
		return nil
	}
	p.solve(in.Gram, primary, w)
	var square, reach float64
	for t := range w {
		w[t] *= p.s[t]
		reach += w[t] * math.Sqrt(in.Gram[t*m+t])
	}
	square = linalg.Quad(in.Gram, w)
	factor := 0.0 // the direction is nothing but rounding
	if square > 1e-14*reach*reach {
		factor = math.Sqrt(in.Gram[primary*m+primary] / square)
	}
	for t := range w {
		w[t] *= factor
	}
	return nil
}

// solve writes the coefficients of d in the normalised gradients: 1 for the primary one and multipliers >= 0 for the others, all 0 where nothing fulfils the constraints.
func (p *pcd) solve(g []float64, primary int, w []float64) {
	m := len(w)
	n := m - 1
	other := func(i int) int { // task of constraint i
		if i < primary {
			return i
		}
		return i + 1
	}
	h, b, terms, y := p.h[:n*n], p.b[:n], p.terms[:n], p.y[:n]
	for i := range n {
		a := other(i)
		for k := range n {
			h[i*n+k] = g[a*m+other(k)] * p.s[a] * p.s[other(k)]
		}
		along := g[a*m+primary] * p.s[a] * p.s[primary]
		b[i] = p.o.Tau*h[i*n+i] - along
		terms[i] = p.o.Tau*h[i*n+i] + math.Abs(along)
	}
	err := p.qp.Solve(h, b, terms, y)
	for i := range n {
		if err != nil || linalg.Dot(h[i*n:i*n+n], y)-b[i] < -1e-7*h[i*n+i] {
			clear(y) // the multipliers grow without end, or could not lift this task
			break
		}
	}
	for t := range w {
		switch {
		case t < primary:
			w[t] = y[t]
		case t > primary:
			w[t] = y[t-1]
		}
	}
}

// State is the mean squared lengths and the steps.
func (p *pcd) State() []Array { return []Array{{"squares", p.mean}, p.steps.state()} }
