package autograd

import (
	"artel/dtype"
	"artel/kernels"
	"artel/param"
	"artel/tensor"
)

type taskLinear struct {
	x, y *Var
	ws   []*param.Param
}

var taskLinearKind = NewKind[taskLinear]("task linear")

// TaskLinear multiplies every row by the matrix of the task that owns it: y[i,:] = x[i,:]*W[task(i)]. The rows must be
// task-owned (see Expand).
//
//	x [N,in]  ws: one [in,out] per task  y [N,out]
func TaskLinear(t *Tape, x *Var, ws []*param.Param) *Var {
	if t.err != nil {
		return t.Bad()
	}
	if !x.Space.Owned || len(ws) != t.tasks {
		t.Failf("task linear: want task-owned rows (put 'expand' before this layer) and %d matrices, got owned %v and %d", t.tasks, x.Space.Owned, len(ws))
		return t.Bad()
	}
	if s := ws[0].Shape(); len(s) != 2 || x.Cols() != s[0] {
		t.Failf("task linear: %s: input %v does not fit weights %v", ws[0].Name, x.Value, s)
		return t.Bad()
	}
	op := taskLinearKind.New(t)
	y := t.NewVar(t.New(x.Rows(), ws[0].Shape()[1]), x.Space)
	*op = taskLinear{x: x, y: y, ws: ws}
	for _, b := range x.Space.Blocks {
		t.be.GEMM(kernels.GEMM{A: x.Value.Narrow(0, b.Act0, b.N), B: ws[b.Task].Operand(), C: y.Value.Narrow(0, b.Act0, b.N)})
	}
	return t.Record("task linear", op, y, true, x)
}

func (o *taskLinear) Backward(t *Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	dx, acc, need := t.Into(o.x)
	s := o.x.Space
	for i, b := range s.Blocks {
		o.block(t, b, dy, dx, acc, need, s.Segs, min(i, s.Segs.Dim(0)-1), b.Cot0)
		if s.aux0 >= 0 {
			o.block(t, b, dy, dx, acc, need, s.Segs, len(s.Blocks), s.aux0+b.Act0)
		}
	}
}

// block handles the cotangent rows from row0 of the rows that b's task owns; row seg of segs names the task that the gradient counts for.
func (o *taskLinear) block(t *Tape, b Block, dy, dx tensor.Tensor, acc, need bool, segs tensor.Tensor, seg, row0 int) {
	w := o.ws[b.Task]
	if need {
		t.be.GEMM(kernels.GEMM{A: dy.Narrow(0, row0, b.N), B: w.Operand().T(), C: dx.Narrow(0, row0, b.N), Accumulate: acc})
	}
	one := t.NewShared(dtype.I32, 1, kernels.SegCols)
	task := int(segs.I32()[seg*kernels.SegCols+1])
	putSeg(one, 0, task, b.Act0, row0, b.N)
	t.gradWeight(w, o.x.Value, dy, one)
}

func (o *taskLinear) Uses(visit func(*param.Param, uint64)) {
	for i, w := range o.ws {
		others := uint64(1)<<len(o.ws) - 1 - 1<<i
		visit(w, o.y.reach&^others)
	}
}
