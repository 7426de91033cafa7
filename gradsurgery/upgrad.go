package gradsurgery

import (
	"math"

	"artel/internal/linalg"
)

func init() {
	Register(Entry{
		Name: "upgrad", Ref: "Quinton & Rey 2024, Jacobian descent for multi-objective optimization, arXiv 2406.16232 (UPGrad)",
		Doc: "w = sum_t argmin { v^T G v : v >= pref_t e_t }: every pref_t g_t is projected on the cone {d : J d >= 0}, then they are summed. Exact, without the trace " +
			"normalisation, threshold and regularisation of TorchJD, so it does not depend on the scale of the gradients.",
		Traits: Traits{NonConflicting: true, LinearUnderScaling: true, PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"upgrad"},
		Config: func() any { return &ConeOptions{} },
		New:    func(cfg any, tasks, _ int) (Method, error) { return newCone(cfg.(*ConeOptions), tasks, true) },
	})
	Register(Entry{
		Name: "dualproj", Ref: "Lopez-Paz & Ranzato 2017, Gradient episodic memory, arXiv 1706.08840, in the form of Quinton & Rey 2024, arXiv 2406.16232",
		Doc:    "w = argmin { v^T G v : v >= pref }: sum_t pref_t g_t is projected on the cone {d : J d >= 0}. Exact.",
		Traits: Traits{NonConflicting: true, PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"dualproj"},
		Config: func() any { return &ConeOptions{} },
		New:    func(cfg any, tasks, _ int) (Method, error) { return newCone(cfg.(*ConeOptions), tasks, false) },
	})
}

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

// preference is a user's weight per task, or 1/m for everyone when none is given.
type preference []float64

func newPreference(list []float64, tasks int, lo float64) (preference, error) {
	if len(list) == 0 {
		return nil, nil
	}
	return perTask("pref", list, 1, tasks, lo, math.Inf(1))
}

// of writes the preferences of the present tasks to p [m].
func (f preference) of(tasks []int, p []float64) {
	for t, id := range tasks {
		if p[t] = 1 / float64(len(tasks)); f != nil {
			p[t] = f[id]
		}
	}
}
