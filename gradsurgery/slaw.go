package gradsurgery

import "math"

func init() {
	Register(Entry{
		Name: "slaw", Ref: "Crawshaw & Kosecka 2021, SLAW: scaled loss approximate weighting, arXiv 2109.08218",
		Doc: "s_t = sqrt(E[L_t^2] - E[L_t]^2) over an exponential moving average, w_t = m (1/s_t) / sum_k 1/s_k: the spread of a loss stands for the length of its gradient.\n" +
			"w = 1 until every present task has two losses; s_t is at least floor times its root mean square loss.",
		Traits: Traits{PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Config: func() any { return &SLAWOptions{Beta: 0.99, Floor: 1e-5} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*SLAWOptions)
			err := first(within("beta", o.Beta, 0, 0.999999), positive("floor", o.Floor), within("floor", o.Floor, 0, 1))
			return &slaw{*o, make([]float64, tasks), make([]float64, tasks), make([]float64, tasks)}, err
		},
	})
}

// SLAWOptions are the options of "slaw".
type SLAWOptions struct {
	Beta  float64 `yaml:"beta" doc:"decay of the moving averages" range:"0..0.999999"`
	Floor float64 `yaml:"floor" doc:"smallest spread, relative to the root of the mean square loss" range:"0<..1"`
}

type slaw struct {
	o             SLAWOptions
	mean, m2, num []float64 // [tasks] averages of L and of its squared distance to them, and losses seen
}

func (*slaw) Needs() Needs { return Needs{Level: Losses, Batches: 1} }

func (s *slaw) Weights(in *Input, w []float64) error {
	ready, sum := true, 0.0
	for t, id := range in.Tasks {
		// E[L^2] - E[L]^2 of a moving average that starts at the first loss, in the form that cannot cancel.
		x, b := in.Losses[t], s.o.Beta
		if s.num[id] == 0 {
			s.mean[id] = x
		}
		d := x - s.mean[id]
		s.m2[id] = b * (s.m2[id] + (1-b)*d*d)
		s.mean[id] += (1 - b) * d
		s.num[id]++
		ready = ready && s.num[id] > 1
		floor := s.o.Floor * math.Sqrt(s.m2[id]+s.mean[id]*s.mean[id])
		w[t] = 1 / max(math.Sqrt(s.m2[id]), floor, 1e-150)
		sum += w[t]
	}
	for t := range w {
		if w[t] *= float64(len(w)) / sum; !ready {
			w[t] = 1
		}
	}
	return nil
}

// State is the moving averages.
func (s *slaw) State() []Array {
	return []Array{{"mean", s.mean}, {"variance", s.m2}, {"losses", s.num}}
}
