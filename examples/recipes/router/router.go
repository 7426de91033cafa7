// Package router adds a router: sigmoid scores instead of a softmax.
package router

import (
	"artel/autograd"
	"artel/kernels"
	"artel/moe"
	"artel/param"
	"artel/rng"
)

func init() {
	moe.Register(moe.Entry{
		Name:   "example_sigmoid_topk",
		Ref:    "DeepSeek-V3 (arXiv 2412.19437), eq. 13 to 15, without its bias",
		Doc:    "s = sigmoid(x W); the k experts with the largest s; weights s / (sum of the picked s)",
		Config: func() any { return &Options{Init: 0.02} },
		New: func(cfg any, s moe.Scope) (moe.Router, error) {
			o := cfg.(*Options)
			start := func(s rng.Stream, _ int) float64 { return o.Init * s.Normal() }
			return &router{w: s.Param("weight", start, s.Width, s.Experts), k: s.Picks}, nil
		},
	})
}

// Options are what a config file can set.
type Options struct {
	Init float64 `yaml:"init" doc:"standard deviation of the weights at the start" range:"0..1"`
}

type router struct {
	w *param.Param // [D,E]
	k int
}

// Route is forward code only: the gradient comes from the ops, and so do the task gradients.
func (r *router) Route(t *autograd.Tape, x *autograd.Var) moe.Selection {
	logits := autograd.Linear(t, x, r.w, nil)         // [N,E]
	score := autograd.Map(t, kernels.Sigmoid, logits) // [N,E]
	index, picked := autograd.TopK(t, score, score, r.k)
	return moe.Selection{
		Index:   index,
		Weights: autograd.RowNormalize(t, picked),
		Probs:   autograd.RowNormalize(t, score), // for the balance loss
		Logits:  logits,                          // for the z-loss
	}
}
