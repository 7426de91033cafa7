package gradsurgery

import (
	"math"

	"artel/internal/linalg"

	"github.com/pkg/errors"
)

func init() {
	Register(Entry{
		Name: "mgda", Ref: "Desideri 2012; Sener & Koltun 2018, arXiv 1810.04650",
		Doc: "w = argmin |J^T w|^2 over w >= 0, sum w = 1: the shortest convex combination, exact (active set, not Frank-Wolfe).\n" +
			"normalize l2 | loss | loss+ divides g_t by |g_t| | L_t | L_t |g_t| while w is chosen; w then applies to the gradients as they are. " +
			"A zero gradient makes the update 0. Where duplicate gradients leave a choice, the update is the same and w is one of the choices.",
		Traits: Traits{NonConflicting: true, PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"mgda"},
		Config: func() any { return &MGDAOptions{Normalize: "none"} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*MGDAOptions)
			if err := oneOf("normalize", o.Normalize, "none", "l2", "loss", "loss+"); err != nil {
				return nil, err
			}
			return &mgda{o: *o, hull: linalg.NewMinNorm(tasks), g: make([]float64, tasks*tasks), n: make([]float64, tasks)}, nil
		},
	})
}

// MGDAOptions are the options of "mgda".
type MGDAOptions struct {
	Normalize string `yaml:"normalize" doc:"none, l2, loss or loss+: what every gradient is divided by while the weights are chosen" oneof:"none l2 loss loss+"`
}

type mgda struct {
	o    MGDAOptions
	hull *linalg.MinNorm
	g    []float64 // [m,m] the normalised Gram matrix
	n    []float64 // [m] the divisors
}

func (*mgda) Needs() Needs { return Needs{Level: Gram, Batches: 1} }

func (p *mgda) Weights(in *Input, w []float64) error {
	g := in.Gram
	if p.o.Normalize != "none" {
		m := len(w)
		for t, id := range in.Tasks {
			p.n[t] = 1
			if l := in.Losses[t]; p.o.Normalize != "l2" {
				if l <= 0 {
					return errors.Errorf("normalize %s: the loss of task %d is %v, want a positive number", p.o.Normalize, id, l)
				}
				p.n[t] = l
			}
			if d := in.Gram[t*m+t]; p.o.Normalize != "loss" && d > 0 {
				p.n[t] *= math.Sqrt(d)
			}
		}
		g = p.g[:m*m]
		for i := range g {
			g[i] = in.Gram[i] / p.n[i/m] / p.n[i%m]
		}
	}
	_, err := p.hull.Solve(g, w)
	return err
}
