package moe

import (
	"artel/autograd"
	"artel/nn"
	"artel/param"
)

func init() {
	Register(Entry{
		Name:   "topk_softmax",
		Ref:    "Shazeer et al. 2017 (arXiv 1701.06538), eq. 3 and 5 without noise; GPT-OSS",
		Doc:    "the k largest of x W + b; weights softmax over the picked ones; probabilities for the balance loss are softmax over all",
		Config: func() any { return &TopKSoftmaxConfig{} },
		New: func(cfg any, s Scope) (Router, error) {
			r := &topKSoftmax{w: s.Param("weight", smallNormal, s.Width, s.Experts), k: s.Picks}
			if cfg.(*TopKSoftmaxConfig).Bias {
				r.b = s.Param("bias", nn.Zeros, s.Experts)
			}
			return r, nil
		},
	})
}

// TopKSoftmaxConfig holds the options of topk_softmax.
type TopKSoftmaxConfig struct {
	Bias bool `yaml:"bias" doc:"add a learned bias to the scores"`
}

type topKSoftmax struct {
	w, b *param.Param
	k    int
}

func (r *topKSoftmax) Route(t *autograd.Tape, x *autograd.Var) Selection {
	logits := autograd.Linear(t, x, r.w, r.b)
	index, weights := pickByScore(t, logits, logits, r.k)
	return Selection{Index: index, Weights: weights, Probs: autograd.Softmax(t, logits), Logits: logits}
}
