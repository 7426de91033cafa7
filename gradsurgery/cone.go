package gradsurgery

import "artel/internal/linalg"

// ConeOptions are the options of "upgrad" and "dualproj".
type ConeOptions struct {
	Pref       []float64 `yaml:"pref" doc:"one weight >= 0 per task; empty = 1/m with m the number of present tasks"`
	Regularize float64   `yaml:"regularize" doc:"share of the trace of G that is added to its diagonal; 0: the exact projection, 1e-4: what TorchJD does" range:"0..1"`
}

type cone struct {
	each    bool // project every task gradient, not their sum
	reg     float64
	g       []float64 // [m,m] regularised
	pref    preference
	qp      *linalg.BoundQP
	l, p, v []float64 // [m]
}

func newCone(o *ConeOptions, tasks int, each bool) (Method, error) {
	pref, err := newPreference(o.Pref, tasks, 0)
	return &cone{each: each, reg: o.Regularize, g: make([]float64, tasks*tasks), pref: pref, qp: linalg.NewBoundQP(tasks), l: make([]float64, tasks), p: make([]float64, tasks), v: make([]float64, tasks)}, first(err, within("regularize", o.Regularize, 0, 1))
}

func (*cone) Needs() Needs { return Needs{Level: Gram, Batches: 1} }

func (c *cone) Weights(in *Input, w []float64) error {
	m := len(w)
	g, p := c.regularized(in.Gram, m), c.p[:m]
	c.pref.of(in.Tasks, p)
	if !c.each {
		return c.qp.Solve(g, p, w)
	}
	l, v := c.l[:m], c.v[:m]
	clear(w)
	clear(l)
	for i := range w {
		l[i] = p[i]
		if err := c.qp.Solve(g, l, v); err != nil {
			return err
		}
		l[i] = 0
		for k, x := range v {
			w[k] += x
		}
	}
	return nil
}

// regularized returns G + reg tr(G) I.
func (c *cone) regularized(gram []float64, m int) []float64 {
	if c.reg == 0 {
		return gram
	}
	g, trace := c.g[:m*m], 0.0
	copy(g, gram)
	for t := range m {
		trace += g[t*m+t]
	}
	for t := range m {
		g[t*m+t] += c.reg * trace
	}
	return g
}
