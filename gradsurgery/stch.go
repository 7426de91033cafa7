package gradsurgery

import "math"

func init() {
	Register(Entry{
		Name: "stch", Ref: "Lin et al. 2024, Smooth Tchebycheff scalarization, arXiv 2402.19078",
		Doc:    "loss = mu log sum_t exp(c_t (L_t - z_t) / mu), so w_t = c_t softmax_t(c (L - z) / mu). Small mu: only the worst task counts.",
		Traits: Traits{PermutationEquivariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"stch"},
		Config: func() any { return &STCHOptions{Mu: 1} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*STCHOptions)
			pref, err := newPreference(o.Pref, tasks, 0)
			z, err2 := perTask("reference", o.Reference, 0, tasks, -math.MaxFloat64, math.MaxFloat64)
			return &stch{o.Mu, pref, z, make([]float64, tasks)}, first(err, err2, positive("mu", o.Mu))
		},
	})
}

// STCHOptions are the options of "stch".
type STCHOptions struct {
	Mu        float64   `yaml:"mu" doc:"smoothness, in units of the loss" range:"0<.."`
	Pref      []float64 `yaml:"pref" doc:"c: one weight >= 0 per task; empty = 1/m"`
	Reference []float64 `yaml:"reference" doc:"z: the best loss of each task; empty = 0"`
}

type stch struct {
	mu   float64
	pref preference
	z, c []float64 // [tasks], [m]
}

func (*stch) Needs() Needs { return Needs{Level: Losses, Batches: 1} }

func (s *stch) Weights(in *Input, w []float64) error {
	c := s.c[:len(w)]
	s.pref.of(in.Tasks, c)
	for t, id := range in.Tasks {
		w[t] = c[t] * (in.Losses[t] - s.z[id]) / s.mu
	}
	softmax(w)
	for t := range w {
		w[t] *= c[t]
	}
	return nil
}
