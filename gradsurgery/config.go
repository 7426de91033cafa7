package gradsurgery

import "artel/internal/linalg"

func init() {
	Register(Entry{
		Name: "config", Ref: "Liu et al. 2025, ConFIG: conflict-free inverse gradient, ICLR 2025, arXiv 2408.11104",
		Doc: "u = direction with cosines to all g_t proportional to pref (equal by default): U^+ pref, U the unit gradients; g = (sum_t <g_t,u>) u.\n" +
			"From G: a = D^-1 R^+ pref, w = a (1^T G a)/(a^T G a). Zero gradients take no part; w = 0 where there is no such direction.",
		Traits: Traits{LinearUnderScaling: true, PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, Deterministic: true},
		Golden: []string{"config"},
		Config: func() any { return &ConFIGOptions{} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			pref, err := newPreference(cfg.(*ConFIGOptions).Pref, tasks, 0)
			return &conFIG{newCosines(tasks), pref, make([]float64, tasks)}, err
		},
	})
}

// ConFIGOptions are the options of "config".
type ConFIGOptions struct {
	Pref []float64 `yaml:"pref" doc:"one number >= 0 per task, to which the cosines are proportional; empty = equal"`
}

type conFIG struct {
	r    *cosines
	pref preference
	ga   []float64 // [m]
}

func (*conFIG) Needs() Needs { return Needs{Level: Gram, Batches: 1} }

func (p *conFIG) Weights(in *Input, w []float64) error {
	p.pref.of(in.Tasks, w)
	if err := p.r.solve(in.Gram, w); err != nil {
		return err
	}
	ga := p.ga[:len(w)]
	linalg.MulVec(ga, in.Gram, w)
	along, square := 0.0, 0.0
	for t, v := range ga {
		along += v
		square += v * w[t]
	}
	if square <= 0 {
		clear(w)
		return nil
	}
	for t := range w {
		w[t] *= along / square
	}
	return nil
}
