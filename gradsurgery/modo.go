package gradsurgery

import (
	"math"

	"artel/internal/linalg"
)

func init() {
	Register(Entry{
		Name: "modo", Ref: "Chen et al. 2023, Three-way trade-off in multi-objective learning, arXiv 2305.20057 (MoDo)",
		Doc: "l = P(l - gamma (A l + rho l)), A = J1 J2^T of two independent batches, P the projection on the simplex; g = J3^T l of a third batch. One l per unit, equal at first: " +
			"an unbiased step towards the shortest convex combination. Among present tasks l keeps its sum.",
		Traits: Traits{PermutationEquivariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"modo"},
		Config: func() any { return &MoDoOptions{Gamma: 1e-3, Rho: 0.1} },
		New: func(cfg any, tasks, units int) (Method, error) {
			o := cfg.(*MoDoOptions)
			d := &modo{o: *o, shares: newShares(tasks, units), al: make([]float64, tasks), sorted: make([]float64, tasks)}
			return d, first(positive("gamma", o.Gamma), within("rho", o.Rho, 0, math.Inf(1)))
		},
	})
}

// MoDoOptions are the options of "modo".
type MoDoOptions struct {
	Gamma float64 `yaml:"gamma" doc:"step length of the weights" range:"0<.."`
	Rho   float64 `yaml:"rho" doc:"pull towards equal weights" range:"0.."`
}

type modo struct {
	o          MoDoOptions
	shares     *shares
	al, sorted []float64 // [m]
}

func (*modo) Needs() Needs { return Needs{Level: Gram, Batches: 3} }

func (d *modo) Weights(in *Input, w []float64) error {
	d.shares.load(in, w)
	al := d.al[:len(w)]
	linalg.MulVec(al, in.Cross, w)
	for t := range w {
		w[t] -= d.o.Gamma * (al[t] + d.o.Rho*w[t])
	}
	linalg.ProjectSimplex(w, d.sorted)
	d.shares.store(in, w)
	return nil
}

// State is the weights.
func (d *modo) State() []Array { return d.shares.state() }
