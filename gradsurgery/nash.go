package gradsurgery

import (
	"errors"
	"math"

	"artel/internal/linalg"
)

func init() {
	Register(Entry{
		Name: "nash_mtl", Ref: "Navon et al. 2022, Multi-task learning as a bargaining game, arXiv 2202.01017",
		Doc: "G w = 1/w, w > 0, by Newton on the equivalent convex problem min w^T G w / 2 - sum_t log w_t (public code iterates conic programs); |g|^2 = m whatever the scale.\n" +
			"max_norm > 0 shortens g to that length. Zero gradients get weight 0. w = 0 where a convex combination of the gradients is 0 to 1e-4 of their lengths and there is no solution.",
		Traits: Traits{NonConflicting: true, PermutationEquivariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"nash_mtl"},
		Config: func() any { return &NashOptions{} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*NashOptions)
			return newBargain(1, o.MaxNorm, tasks), within("max_norm", o.MaxNorm, 0, math.Inf(1))
		},
	})
	Register(Entry{
		Name: "fairgrad", Ref: "Ban & Ji 2024, Fair resource allocation in multi-task learning, arXiv 2402.15638",
		Doc:    "G w = w^(-1/alpha), w > 0: alpha-fair shares of <g_t, g>; alpha 1 is nash_mtl, larger alpha lifts the worst task more. Newton, as nash_mtl, with the same corner cases.",
		Traits: Traits{NonConflicting: true, PermutationEquivariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"fairgrad"},
		Config: func() any { return &FairGradOptions{Alpha: 2} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*FairGradOptions)
			return newBargain(o.Alpha, 0, tasks), within("alpha", o.Alpha, 0.05, 100)
		},
	})
}

// NashOptions are the options of "nash_mtl".
type NashOptions struct {
	MaxNorm float64 `yaml:"max_norm" doc:"longest update; 0 = as the equation gives it. public code uses 1" range:"0.."`
}

// FairGradOptions are the options of "fairgrad".
type FairGradOptions struct {
	Alpha float64 `yaml:"alpha" doc:"0.05..100; the paper's scripts use 2" range:"0.05..100"`
}

// bargain shares gains by G w = w^(-1/alpha).
type bargain struct {
	alpha, maxNorm float64
	solver         *linalg.Balance
	hull           *linalg.MinNorm
	g              []float64 // [m,m]
}

func newBargain(alpha, maxNorm float64, tasks int) *bargain {
	return &bargain{alpha, maxNorm, linalg.NewBalance(tasks), linalg.NewMinNorm(tasks), make([]float64, tasks*tasks)}
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
	factor := 1.0
	if norm := math.Sqrt(linalg.Quad(in.Gram, w)); p.maxNorm > 0 && norm > p.maxNorm {
		factor = p.maxNorm / norm
	}
	for t := range w {
		if w[t] *= factor; in.Gram[t*m+t] == 0 {
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
