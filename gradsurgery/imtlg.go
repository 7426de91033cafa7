package gradsurgery

import (
	"math"

	"artel/internal/linalg"
)

func init() {
	Register(Entry{
		Name: "imtl_g", Ref: "Liu et al. 2021, Towards impartial multi-task learning, ICLR 2021 (IMTL-G)",
		Doc: "<g, g_t>/|g_t| is the same for all t, and sum_t w_t = 1: w = D^-1 R^+ 1 / its sum, with R the cosines of the gradients and D their lengths. Weights can be negative.\n" +
			"Zero gradients take no part. w = 0 where no direction has equal positive projections (opposite gradients) or the sum cancels to 1e-10 of its terms.",
		Traits: Traits{PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, Deterministic: true},
		Golden: []string{"imtl_g"},
		Config: func() any { return &IMTLGOptions{} },
		New:    func(_ any, tasks, _ int) (Method, error) { return &imtlG{newCosines(tasks)}, nil },
	})
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

// IMTLGOptions are the options of "imtl_g": none.
type IMTLGOptions struct{}

// ConFIGOptions are the options of "config".
type ConFIGOptions struct {
	Pref []float64 `yaml:"pref" doc:"one number >= 0 per task, to which the cosines are proportional; empty = equal"`
}

type imtlG struct{ r *cosines }

func (*imtlG) Needs() Needs { return Needs{Level: Gram, Batches: 1} }

func (p *imtlG) Weights(in *Input, w []float64) error {
	for t := range w {
		w[t] = 1
	}
	if err := p.r.solve(in.Gram, w); err != nil {
		return err
	}
	var sum, size float64
	for _, v := range w {
		sum += v
		size += math.Abs(v)
	}
	if math.Abs(sum) <= 1e-10*size {
		clear(w)
		return nil
	}
	for t := range w {
		w[t] /= sum
	}
	return nil
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

// cosines solves systems in the cosines between gradients, which are well scaled however different the lengths are.
type cosines struct {
	eig     *linalg.Eigen
	r       []float64 // [m,m]
	d, x, e []float64 // [m]
}

func newCosines(tasks int) *cosines {
	return &cosines{linalg.NewEigen(tasks), make([]float64, tasks*tasks), make([]float64, tasks), make([]float64, tasks), make([]float64, tasks)}
}

// solve replaces b [m] by D^-1 R^+ b, with 0 for zero gradients. Eigenvalues of R under 1e-12 m count as 0: what is left of a
// dependent gradient is then below the rounding of G. Without a component of b in the range of R the answer is 0.
func (c *cosines) solve(g, b []float64) error {
	m := len(b)
	r, d, x := c.r[:m*m], c.d[:m], c.x[:m]
	for t := range d {
		if d[t] = math.Sqrt(g[t*m+t]); d[t] == 0 {
			b[t] = 0
		}
	}
	for i := range r {
		if r[i] = 0; d[i/m] > 0 && d[i%m] > 0 {
			r[i] = g[i] / d[i/m] / d[i%m]
		}
	}
	if _, err := c.eig.PseudoSolve(r, b, x, c.e[:m], 1e-12*float64(m)); err != nil {
		return err
	}
	// R x must reproduce something of b; else x is rounding.
	if linalg.Dot(b, x) <= 1e-10*linalg.Dot(b, b) {
		clear(b)
		return nil
	}
	for t := range b {
		if b[t] = 0; d[t] > 0 {
			b[t] = x[t] / d[t]
		}
	}
	return nil
}
