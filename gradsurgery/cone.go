package gradsurgery

import "artel/internal/linalg"

// ConeOptions are the options of "upgrad" and "dualproj".
type ConeOptions struct {
	Pref []float64 `yaml:"pref" doc:"one weight >= 0 per task; empty = 1/m with m the number of present tasks"`
}

type cone struct {
	each    bool // project every task gradient, not their sum
	pref    preference
	qp      *linalg.BoundQP
	l, p, v []float64 // [m]
}

func newCone(o *ConeOptions, tasks int, each bool) (Method, error) {
	pref, err := newPreference(o.Pref, tasks, 0)
	return &cone{each: each, pref: pref, qp: linalg.NewBoundQP(tasks), l: make([]float64, tasks), p: make([]float64, tasks), v: make([]float64, tasks)}, err
}

func (*cone) Needs() Needs { return Needs{Level: Gram, Batches: 1} }

func (c *cone) Weights(in *Input, w []float64) error {
	m := len(w)
	p := c.p[:m]
	c.pref.of(in.Tasks, p)
	if !c.each {
		return c.qp.Solve(in.Gram, p, w)
	}
	l, v := c.l[:m], c.v[:m]
	clear(w)
	clear(l)
	for i := range w {
		l[i] = p[i]
		if err := c.qp.Solve(in.Gram, l, v); err != nil {
			return err
		}
		l[i] = 0
		for k, x := range v {
			w[k] += x
		}
	}
	return nil
}
