package gradsurgery

import (
	"math"
	"slices"

	"artel/internal/linalg"
)

func init() {
	Register(Entry{
		Name: "aligned_mtl", Ref: "Senushkin et al. 2023, Independent component alignment for multi-task learning, arXiv 2305.19000",
		Doc: "G = V L V^T over the eigenvalues above rank_tol * largest; w = sqrt(s) V L^-1/2 V^T pref, s = smallest (min), lower median, or mean (rmse) of them: " +
			"the gradients become orthogonal and equally long before they are summed with pref. Weights can be negative.",
		Traits: Traits{PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, Stationary: true, Deterministic: true},
		Golden: []string{"aligned_mtl"},
		Config: func() any { return &AlignedOptions{Scale: "min", RankTol: 1e-12} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*AlignedOptions)
			pref, err := newPreference(o.Pref, tasks, 0)
			if err := first(err, oneOf("scale", o.Scale, "min", "median", "rmse"), within("rank_tol", o.RankTol, 1e-15, 0.1)); err != nil {
				return nil, err
			}
			return &aligned{o: *o, pref: pref, eig: linalg.NewEigen(tasks), l: make([]float64, tasks), p: make([]float64, tasks), kept: make([]float64, 0, tasks)}, nil
		},
	})
}

// AlignedOptions are the options of "aligned_mtl".
type AlignedOptions struct {
	Scale   string    `yaml:"scale" doc:"min, median or rmse: the common length of the aligned gradients" oneof:"min median rmse"`
	Pref    []float64 `yaml:"pref" doc:"one weight >= 0 per task; empty = 1/m (the official code sums: 1)"`
	RankTol float64   `yaml:"rank_tol" doc:"eigenvalues under this share of the largest count as 0; the official code uses m * 1.2e-7" range:"1e-15..0.1"`
}

type aligned struct {
	o          AlignedOptions
	pref       preference
	eig        *linalg.Eigen
	l, p, kept []float64 // [m]
}

func (*aligned) Needs() Needs { return Needs{Level: Gram, Batches: 1} }

func (a *aligned) Weights(in *Input, w []float64) error {
	m := len(w)
	l, p := a.l[:m], a.p[:m]
	a.pref.of(in.Tasks, p)
	v, err := a.eig.Solve(in.Gram, l)
	if err != nil {
		return err
	}
	clear(w)
	cut := slices.Max(l) * a.o.RankTol
	a.kept = a.kept[:0]
	for _, x := range l {
		if x > cut {
			a.kept = append(a.kept, x)
		}
	}
	if len(a.kept) == 0 {
		return nil // all gradients are 0
	}
	slices.Sort(a.kept)
	s := a.kept[0]
	switch a.o.Scale {
	case "median":
		s = a.kept[(len(a.kept)-1)/2]
	case "rmse":
		s = meanOf(a.kept)
	}
	for k, x := range l {
		if x <= cut {
			continue
		}
		var c float64
		for t := range p {
			c += v[t*m+k] * p[t]
		}
		c *= math.Sqrt(s / x)
		for t := range w {
			w[t] += c * v[t*m+k]
		}
	}
	return nil
}
