package gradsurgery

import "math"

func init() {
	Register(Entry{
		Name: "pbi", Ref: "Zhang & Li 2007, MOEA/D, IEEE Trans. Evolutionary Computation 11(6), penalty-based boundary intersection",
		Doc: "f = L - reference, u = pref / |pref|; loss = <f,u> + theta |f - <f,u>u|, so w = u + theta * (the direction of f - <f,u>u; 0 where that is 0): losses are drawn to the ratios of pref. " +
			"Weights can be negative: a task that is ahead of its ratio may be made worse.",
		Traits: Traits{PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, Deterministic: true},
		Golden: []string{"pbi"},
		Config: func() any { return &PBIOptions{Theta: 0.5} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*PBIOptions)
			pref, err := newPreference(o.Pref, tasks, 0)
			z, err2 := perTask("reference", o.Reference, 0, tasks, -math.MaxFloat64, math.MaxFloat64)
			return &pbi{o.Theta, pref, z, make([]float64, tasks)}, first(err, err2, within("theta", o.Theta, 0, 1e6))
		},
	})
}

// PBIOptions are the options of "pbi".
type PBIOptions struct {
	Theta     float64   `yaml:"theta" doc:"how strongly losses are drawn to the ratios of pref; the paper takes 5" range:"0..1e6"`
	Pref      []float64 `yaml:"pref" doc:"one number >= 0 per task: the ratios of the losses; empty = equal"`
	Reference []float64 `yaml:"reference" doc:"the best loss of each task; empty = 0"`
}

type pbi struct {
	theta float64
	pref  preference
	z, u  []float64 // [tasks], [m]
}

func (*pbi) Needs() Needs { return Needs{Level: Losses, Batches: 1} }

func (p *pbi) Weights(in *Input, w []float64) error {
	u := p.u[:len(w)]
	p.pref.of(in.Tasks, u)
	var length, along, square, size float64
	for _, v := range u {
		length += v * v
	}
	if length == 0 {
		clear(w) // no task counts
		return nil
	}
	for t, id := range in.Tasks {
		u[t] /= math.Sqrt(length)
		along += (in.Losses[t] - p.z[id]) * u[t]
	}
	for t, id := range in.Tasks {
		f := in.Losses[t] - p.z[id]
		w[t] = f - along*u[t]
		square += w[t] * w[t]
		size += f * f
	}
	pull := 0.0
	if square > 1e-28*size { // else f lies on the direction up to rounding
		pull = p.theta / math.Sqrt(square)
	}
	for t := range w {
		w[t] = u[t] + pull*w[t]
	}
	return nil
}
