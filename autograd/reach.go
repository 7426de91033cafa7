package autograd

import "artel/param"

// ParamUser is an op that reads parameters directly. Uses visits each with the tasks whose losses depend on it through this op;
// the op's output knows them as reach.
type ParamUser interface {
	Uses(visit func(p *param.Param, tasks uint64))
}

// MaxTasks is the largest number of tasks.
const MaxTasks = 62

// Reach finds, for every group of set, which tasks' losses depend on it (bit t for task t, bit Tasks() for auxiliary losses with
// a task of their own). A group that one task reaches is that task's own: it takes no part in surgery. Call it after the forward pass.
func (t *Tape) Reach(set *param.Set) []uint64 {
	out := make([]uint64, len(set.Groups))
	for i := range t.nodes {
		t.nodes[i].out.reach = 0
		for _, v := range t.nodes[i].in {
			if v != nil {
				v.reach = 0
			}
		}
	}
	for i := len(t.nodes) - 1; i >= 0; i-- {
		n := &t.nodes[i]
		switch o := n.op.(type) {
		case *taskLoss:
			n.out.reach |= 1 << o.task
		case *auxLoss:
			n.out.reach |= t.auxReach(o.x.Space)
		case *tap:
			if n.out.reach != 0 {
				n.out.reach = 1 // below, all tasks have one gradient
			}
		}
		if u, ok := n.op.(ParamUser); ok {
			u.Uses(func(p *param.Param, tasks uint64) { out[p.Group.Index] |= tasks })
		}
		for _, v := range n.in {
			if v == nil || !v.needs {
				continue
			}
			if v.parent != nil {
				v.parent.reach |= n.out.reach
			}
			v.reach |= n.out.reach
		}
	}
	return out
}

// auxReach is the set of task gradients that an auxiliary loss over s goes to.
func (t *Tape) auxReach(s *Space) (tasks uint64) {
	if s.aux0 >= 0 {
		return 1 << t.tasks
	}
	if !s.stacked {
		return 1
	}
	for _, b := range s.Blocks {
		tasks |= 1 << b.Task
	}
	return tasks
}
