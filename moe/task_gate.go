package moe

import (
	"fmt"

	"artel/autograd"
	"artel/param"
)

func init() {
	Register(Entry{
		Name:   "task_gate",
		Ref:    "MMoE (Ma et al. 2018, KDD), eq. 6-7, with a sparse softmax",
		Doc:    "a gate matrix per task: p = softmax(x W_task); then as softmax_topk",
		Owned:  true,
		Config: func() any { return &SoftmaxTopKConfig{Normalize: true} },
		New: func(cfg any, s Scope) (Router, error) {
			r := &taskGate{k: s.Picks, normalize: cfg.(*SoftmaxTopKConfig).Normalize}
			for i := 0; i < s.Tasks; i++ {
				// A group per task: each gate is its task's own parameter and takes no part in surgery.
				g := s
				g.Layer = fmt.Sprintf("%s.gates.%d", s.Layer, i)
				r.ws = append(r.ws, g.Param("weight", smallNormal, s.Width, s.Experts))
			}
			return r, nil
		},
	})
}

type taskGate struct {
	ws        []*param.Param
	k         int
	normalize bool
}

func (r *taskGate) Route(t *autograd.Tape, x *autograd.Var) Selection {
	return pickByProbability(t, autograd.TaskLinear(t, x, r.ws), r.k, r.normalize)
}
