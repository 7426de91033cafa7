package gradsurgery

import (
	"math"

	"artel/internal/linalg"

	"github.com/pkg/errors"
)

func init() {
	Register(Entry{
		Name: "sdmgrad", Ref: "Xiao, Ban & Ji 2023, Direction-oriented multi-objective learning, arXiv 2305.18409 (SDMGrad)",
		Doc: "A = J1 J2^T / s^2, s = mean_t sqrt(max(A_tt, 0)); iterations of v = P(v - lr b), b = momentum b + A (v + lambda p), p = 1/m, P the projection on the simplex; " +
			"w = (v + lambda p) / (1 + lambda) on a third batch. v starts where the last step of the unit ended, at 1/m first. Among present tasks v keeps its sum.",
		Traits: Traits{PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"sdmgrad"},
		Config: func() any { return &SDMGradOptions{Lambda: 0.3, LR: 10, Momentum: 0.5, Iterations: 20} },
		New: func(cfg any, tasks, units int) (Method, error) {
			o := cfg.(*SDMGradOptions)
			if o.Iterations < 1 || o.Iterations > 10000 {
				return nil, errors.Errorf("iterations is %d, want 1..10000", o.Iterations)
			}
			err := first(within("lambda", o.Lambda, 0, 1e6), positive("lr", o.LR), within("momentum", o.Momentum, 0, 0.999))
			f := make([]float64, 4*tasks)
			return &sdmgrad{o: *o, shares: newShares(tasks, units), p: f[:tasks:tasks], b: f[tasks : 2*tasks : 2*tasks],
				a: f[2*tasks : 3*tasks : 3*tasks], sorted: f[3*tasks:]}, err
		},
	})
}

// SDMGradOptions are the options of "sdmgrad".
type SDMGradOptions struct {
	Lambda     float64 `yaml:"lambda" doc:"pull towards the mean gradient" range:"0.."`
	LR         float64 `yaml:"lr" doc:"step length of the weights, with A brought to a mean diagonal of about 1" range:"0<.."`
	Momentum   float64 `yaml:"momentum" doc:"of the steps" range:"0..0.999"`
	Iterations int     `yaml:"iterations" doc:"steps of the weights per step of the model" range:"1..10000"`
}

type sdmgrad struct {
	o               SDMGradOptions
	shares          *shares
	p, b, a, sorted []float64 // [m] v + lambda p, momentum, A p
}

func (*sdmgrad) Needs() Needs { return Needs{Level: Gram, Batches: 3} }

func (d *sdmgrad) Weights(in *Input, w []float64) error {
	m := len(w)
	p, b, a := d.p[:m], d.b[:m], d.a[:m]
	var s float64
	for t := range w {
		s += math.Sqrt(max(0, in.Cross[t*m+t])) / float64(m)
	}
	d.shares.load(in, w)
	clear(b)
	even := d.o.Lambda / float64(m)
	for range d.o.Iterations {
		if s == 0 {
			break // independent batches that agree in nothing say nothing
		}
		for t, v := range w {
			p[t] = v + even
		}
		linalg.MulVec(a, in.Cross, p)
		for t, v := range a {
			b[t] = d.o.Momentum*b[t] + v/(s*s)
			w[t] -= d.o.LR * b[t]
		}
		linalg.ProjectSimplex(w, d.sorted)
	}
	d.shares.store(in, w)
	for t := range w {
		w[t] = (w[t] + even) / (1 + d.o.Lambda)
	}
	return nil
}

// State is the weights on the simplex.
func (d *sdmgrad) State() []Array { return d.shares.state() }
