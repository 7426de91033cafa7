package moe

import (
	"artel/dtype"
	"fmt"

	"artel/autograd"
	"artel/kernels"
)

func init() {
	Register(Entry{
		Name:   "task_lookup",
		Ref:    "hard routing by task: Task-MoE with static assignment (Kudugunta et al. 2021), DEMix (Gururangan et al. 2021, arXiv 2108.05036)",
		Doc:    "row of task t goes to the k experts of table row t with weight 1/k; without a table, experts t*k .. t*k+k-1 modulo E",
		Owned:  true,
		Config: func() any { return &TaskLookupConfig{} },
		New: func(cfg any, s Scope) (Router, error) {
			return newTaskLookup(cfg.(*TaskLookupConfig), s)
		},
	})
}

// TaskLookupConfig holds the options of task_lookup.
type TaskLookupConfig struct {
	Table [][]int `yaml:"table" doc:"k experts for every task; empty: consecutive experts"`
}

type taskLookup struct {
	tasks, k int
	table    []int32 // [M,K]
}

func newTaskLookup(c *TaskLookupConfig, s Scope) (Router, error) {
	r := &taskLookup{tasks: s.Tasks, k: s.Picks}
	if len(c.Table) != 0 && len(c.Table) != s.Tasks {
		return nil, fmt.Errorf("table has %d rows, want one for each of %d tasks", len(c.Table), s.Tasks)
	}
	for t := 0; t < s.Tasks; t++ {
		seen := map[int]bool{}
		for k := 0; k < s.Picks; k++ {
			e := (t*s.Picks + k) % s.Experts
			if len(c.Table) > 0 {
				if len(c.Table[t]) != s.Picks {
					return nil, fmt.Errorf("table row %d has %d experts, want k = %d", t, len(c.Table[t]), s.Picks)
				}
				e = c.Table[t][k]
			}
			if e < 0 || e >= s.Experts || seen[e] {
				return nil, fmt.Errorf("table row %d: expert %d; want %d different experts of 0..%d", t, e, s.Picks, s.Experts-1)
			}
			seen[e] = true
			r.table = append(r.table, int32(e))
		}
	}
	return r, nil
}

func (r *taskLookup) Route(t *autograd.Tape, x *autograd.Var) Selection {
	if t.Err() != nil {
		return Selection{}
	}
	if !x.Space.Owned {
		t.Failf("task_lookup: want task-owned rows (put 'expand' before this layer)")
		return Selection{}
	}
	table := t.NewShared(dtype.I32, r.tasks, r.k)
	copy(table.I32(), r.table)
	index := t.NewI32(x.Rows(), r.k)
	t.Backend().GatherRows(kernels.GatherRows{Dst: index, Src: table, Index: x.Space.Task})
	weights := t.New(x.Rows(), r.k)
	t.Backend().Fill(weights, 1/float64(r.k))
	return Selection{Index: index, Weights: t.NewVar(weights, x.Space)}
}
