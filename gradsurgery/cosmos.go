package gradsurgery

import "math"

func init() {
	Register(Entry{
		Name: "cosmos", Ref: "Ruchte & Grabocka 2021, Scalable Pareto front approximation for deep multi-objective learning, arXiv 2103.13392, eq. 6; the objective only, the model does not see pref",
		Doc: "loss = <r,L> - lambda cos(r,L), r = pref; so w_t = r_t - lambda (r_t / (|r||L|) - <r,L> L_t / (|r||L|^3)), w = r where L = 0. " +
			"Not invariant to a common factor of the losses. Weights can be negative.",
		Traits: Traits{PermutationEquivariant: true, InRowSpan: true, Deterministic: true},
		Golden: []string{"cosmos"},
		Config: func() any { return &COSMOSOptions{Lambda: 0.5} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*COSMOSOptions)
			pref, err := newPreference(o.Pref, tasks, 0)
			return &cosmos{o.Lambda, pref}, first(err, within("lambda", o.Lambda, 0, 1e6))
		},
	})
}

// COSMOSOptions are the options of "cosmos".
type COSMOSOptions struct {
	Lambda float64   `yaml:"lambda" doc:"how strongly losses are drawn to the ratios of pref; the paper takes 0.01 to 8" range:"0..1e6"`
	Pref   []float64 `yaml:"pref" doc:"r: one weight >= 0 per task; empty = 1/m"`
}

type cosmos struct {
	lambda float64
	pref   preference
}

func (*cosmos) Needs() Needs { return Needs{Level: Losses, Batches: 1} }

func (c *cosmos) Weights(in *Input, w []float64) error {
	c.pref.of(in.Tasks, w)
	var rr, ll, rl float64
	for t, l := range in.Losses {
		rr, ll, rl = rr+w[t]*w[t], ll+l*l, rl+w[t]*l
	}
	if rr == 0 || ll == 0 {
		return nil
	}
	scale := c.lambda / math.Sqrt(rr) / math.Sqrt(ll)
	for t, l := range in.Losses {
		w[t] -= scale * (w[t] - rl/ll*l)
	}
	return nil
}
