package gradsurgery

import "math"

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
}

// IMTLGOptions are the options of "imtl_g": none.
type IMTLGOptions struct{}

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
