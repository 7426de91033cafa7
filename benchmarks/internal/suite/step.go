package suite

import (
	"fmt"

	"artel/benchmarks/internal/bench"
)

// stepPeers are the Python forms of a step; plain ones train on the sum of the losses.
var stepPeers = []struct {
	name, system, way string
	tuned, plain      bool
}{
	{"PyTorch, as installed", "PyTorch", "sum", false, true},
	{"PyTorch, tuned", "PyTorch", "sum", true, true},
	{"PyTorch, tuned, compiled", "PyTorch", "sum+compile", true, true},
	{"PyTorch by hand, tuned", "PyTorch", "hand", true, false},
	{"TorchJD, tuned", "TorchJD", "torchjd", true, false},
	{"LibMTL, tuned", "LibMTL", "libmtl", true, false},
}

// Step is a training step of a multi-task model, plain and with PCGrad, for several numbers of tasks. Rows are shared by all tasks; a peer takes the
// same time where every row belongs to one task, since a backward pass per task costs it the same, so Artel's time for those is in the group.
func (t *Tools) Step(tasks []int, quick bool) (groups []Group, err error) {
	for _, m := range tasks {
		for _, plain := range []bool{true, false} {
			g := Group{Part: "step", Plan: bench.Plan{Reps: 15, Burst: 2}, Check: &Check{
				// Losses of ten steps from the same parameters and rows. With more than two tasks PCGrad visits them in a random order.
				Most: 1e-3, Extra: map[string]any{"steps": 10, "lr": 1e-3},
			}}
			method := "pcgrad"
			if g.Title = fmt.Sprintf("PCGrad, %d tasks", m); plain {
				method, g.Title = "sum", fmt.Sprintf("plain, %d tasks", m)
			}
			if quick {
				g.Plan.Reps = 7
			}
			ours, err := t.own("step", "Artel", map[string]any{"tasks": m, "method": method})
			if err != nil {
				return nil, err
			}
			g.Cases = append(g.Cases, ours)
			if !plain {
				owned := ours
				owned.Name, owned.Other, owned.Config = "Artel, every row of one task", true, map[string]any{"tasks": m, "method": method, "owned": true}
				g.Cases = append(g.Cases, owned)
			}
			for _, p := range stepPeers {
				if !t.Peers() || p.plain != plain {
					continue
				}
				c := map[string]any{"tasks": m, "way": p.way}
				if p.tuned {
					c["tuned"] = true
				}
				g.Cases = append(g.Cases, t.peer("train_step.py", p.name, p.system, c))
			}
			groups = append(groups, g)
		}
	}
	return groups, nil
}
