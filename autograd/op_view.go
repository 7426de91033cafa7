package autograd

import (
	"artel/dtype"
	"artel/kernels"
)

// TaskView is the rows of x that belong to a task: what a task's head reads. Nothing is copied, forward or backward: the value is
// a slice of x, its cotangent a slice of x's. ok is false when the task has no rows here.
func TaskView(t *Tape, x *Var, task int) (view *Var, ok bool) {
	if t.err != nil {
		return t.Bad(), false
	}
	at := -1
	for i, b := range x.Space.Blocks {
		if b.Task != task || b.N == 0 {
			continue
		}
		if at >= 0 {
			t.Failf("task view: task %d owns several runs of rows; batches keep the rows of a task together", task)
			return t.Bad(), false
		}
		at = i
	}
	if at < 0 {
		return nil, false
	}
	if x.parent != nil {
		return x, true
	}
	b := x.Space.Blocks[at]
	s := t.spaces.next()
	s.N, s.C, s.aux0, s.Owned, s.stacked = b.N, b.N, -1, true, x.Space.stacked
	start := len(t.blocks)
	t.blocks = append(t.blocks, Block{Task: task, N: b.N, share: b.share})
	s.Blocks = t.blocks[start : start+1 : start+1]
	s.Segs = t.NewShared(dtype.I32, 1, kernels.SegCols)
	segTask := task
	if !x.Space.stacked {
		segTask = 0
	}
	putSeg(s.Segs, 0, segTask, 0, 0, b.N)
	if x.Space.Keys.Ok() {
		s.Keys = x.Space.Keys.Narrow(0, b.Act0, b.N)
	}
	v := t.NewVar(x.Value.Narrow(0, b.Act0, b.N), s)
	v.parent, v.block, v.needs = x, at, x.needs
	return v, true
}
