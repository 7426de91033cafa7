package moe

import (
	"artel/autograd"
	"artel/param"
)

func init() {
	Register(Entry{
		Name:  "task_aware",
		Ref:   "task-conditioned gating: Task-MoE (Kudugunta et al. 2021, arXiv 2110.03742), here additive with the token's scores",
		Doc:   "scores = x W + e_task V with a learned task embedding e; then as softmax_topk",
		Owned: true,
		Config: func() any {
			return &TaskAwareConfig{Embedding: 16, Normalize: true}
		},
		New: func(cfg any, s Scope) (Router, error) {
			c := cfg.(*TaskAwareConfig)
			return &taskAware{
				w: s.Param("weight", smallNormal, s.Width, s.Experts),
				e: s.Param("task.embedding", unitNormal, s.Tasks, c.Embedding),
				v: s.Param("task.weight", smallNormal, c.Embedding, s.Experts),
				k: s.Picks, normalize: c.Normalize,
			}, nil
		},
	})
}

// TaskAwareConfig holds the options of task_aware.
type TaskAwareConfig struct {
	Embedding int  `yaml:"embedding" doc:"width of the task embedding" range:"1..4096"`
	Normalize bool `yaml:"normalize" doc:"divide the weights of the picked experts by their sum"`
}

type taskAware struct {
	w, e, v   *param.Param
	k         int
	normalize bool
}

func (r *taskAware) Route(t *autograd.Tape, x *autograd.Var) Selection {
	logits := autograd.Linear(t, x, r.w, nil)
	task := autograd.Linear(t, autograd.TaskTable(t, r.e), r.v, nil)
	return pickByProbability(t, autograd.AddByTask(t, logits, task), r.k, r.normalize)
}
