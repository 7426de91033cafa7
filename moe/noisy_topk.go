package moe

import (
	"artel/autograd"
	"artel/kernels"
	"artel/nn"
	"artel/param"
	"artel/rng"
)

func init() {
	Register(Entry{
		Name:   "noisy_topk",
		Ref:    "Shazeer et al. 2017 (arXiv 1701.06538), eq. 3-5",
		Doc:    "h = x W + n * softplus(x V), n standard normal per row and expert (training only); the k largest h; weights softmax over the picked h",
		Config: func() any { return &none{} },
		New: func(_ any, s Scope) (Router, error) {
			return &noisyTopK{
				w: s.Param("weight", smallNormal, s.Width, s.Experts),
				v: s.Param("noise", nn.Zeros, s.Width, s.Experts),
				k: s.Picks, e: s.Experts, stream: s.Stream.Sub("noisy_topk"),
			}, nil
		},
	})
}

type noisyTopK struct {
	w, v   *param.Param
	k, e   int
	stream rng.Stream
}

func (r *noisyTopK) Route(t *autograd.Tape, x *autograd.Var) Selection {
	logits := autograd.Linear(t, x, r.w, nil)
	h := logits
	if t.Training() {
		size := autograd.LinearMap(t, x, r.v, nil, kernels.Softplus)
		h = autograd.Add(t, logits, autograd.Mul(t, size, autograd.Noise(t, x, r.e, r.stream)))
	}
	index, weights := pickByScore(t, h, h, r.k)
	return Selection{Index: index, Weights: weights, Probs: autograd.Softmax(t, h), Logits: logits}
}
