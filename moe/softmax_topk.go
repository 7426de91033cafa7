package moe

import (
	"artel/autograd"
	"artel/param"
	"artel/tensor"
)

func init() {
	Register(Entry{
		Name:   "softmax_topk",
		Ref:    "Fedus et al. 2021 (arXiv 2101.03961); renormalised as in Mixtral (arXiv 2401.04088)",
		Doc:    "p = softmax(x W); the k most probable experts; weights p, divided by their sum when normalize is true",
		Config: func() any { return &SoftmaxTopKConfig{Normalize: true} },
		New: func(cfg any, s Scope) (Router, error) {
			return &softmaxTopK{w: s.Param("weight", smallNormal, s.Width, s.Experts), k: s.Picks, normalize: cfg.(*SoftmaxTopKConfig).Normalize}, nil
		},
	})
}

// SoftmaxTopKConfig holds the options of softmax_topk and of the routers that end like it.
type SoftmaxTopKConfig struct {
	Normalize bool `yaml:"normalize" doc:"divide the weights of the picked experts by their sum"`
}

type softmaxTopK struct {
	w         *param.Param
	k         int
	normalize bool
}

func (r *softmaxTopK) Route(t *autograd.Tape, x *autograd.Var) Selection {
	return pickByProbability(t, autograd.Linear(t, x, r.w, nil), r.k, r.normalize)
}

// pickByProbability ends a router: softmax over all experts, then the k most probable.
func pickByProbability(t *autograd.Tape, logits *autograd.Var, k int, normalize bool) Selection {
	probs := autograd.Softmax(t, logits)
	index, weights := autograd.TopK(t, probs, probs, k)
	if normalize {
		weights = autograd.RowNormalize(t, weights)
	}
	return Selection{Index: index, Weights: weights, Probs: probs, Logits: logits}
}

// pickByScore ends a router: the k largest scores (by chooses, logits weigh), then softmax over the picked ones.
func pickByScore(t *autograd.Tape, by, logits *autograd.Var, k int) (tensor.Tensor, *autograd.Var) {
	index, values := autograd.TopK(t, by, logits, k)
	return index, autograd.Softmax(t, values)
}
