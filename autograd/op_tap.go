package autograd

import (
	"artel/kernels"
	"artel/tensor"
)

// tapState tells where a recording stands with respect to its tap.
type tapState uint8

const (
	noTap tapState = iota // task gradients go down to the parameters
	below                 // the tap is still to come: tasks share one cotangent
	above                 // tasks have cotangents of their own
)

// Combiner makes one gradient of the task gradients at an activation. It is called once per backward pass.
type Combiner func(runs []TapRun) error

// TapRun is the task gradients of a run of activation rows that some tasks share.
type TapRun struct {
	Tasks []int         // [m]
	J     tensor.Tensor // [m,n*D]: the gradient of every task's loss with respect to the rows
	Dst   tensor.Tensor // [n*D]: where the one gradient goes
	Z     tensor.Tensor // [n,D]: the activation
	Row0  int           // of J's rows among those of the whole activation, [C,D]
}

// TakeAt makes a per-task recording take task gradients at the activation that Tap marks: below it there is one cotangent, made by combine. So the part below runs
// backward once, whatever the number of tasks. Call it between Begin and NewSpace.
func (t *Tape) TakeAt(combine Combiner) {
	if t.mode == PerTask {
		t.tap, t.combine = below, combine
	}
}

// Spread is TakeAt with rows that tasks own from the tap on, as behind Expand.
func (t *Tape) Spread(combine Combiner) {
	t.TakeAt(combine)
	t.spread = t.mode == PerTask
}

// ShiftAt makes a plain recording add alpha*shift to the activation that Tap marks, whose rows the tasks own from there on: shift is [C,D], laid out like the
// cotangents of a recording with Spread. With alpha of both signs the difference of two gradients is a product with second derivatives.
func (t *Tape) ShiftAt(shift tensor.Tensor, alpha float64) {
	if t.mode == Plain {
		t.spread, t.shift, t.alpha = true, shift, alpha
	}
}

type tap struct{ x, y *Var }

var tapKind = NewKind[tap]("tap")

// Tap marks the activation at which task gradients are taken (see TakeAt). In other recordings it is nothing. Rows that one task owns have no other task's gradient to be
// compared with, so some rows must be shared.
func Tap(t *Tape, x *Var) *Var {
	if t.err != nil {
		return t.Bad()
	}
	if t.tap != below {
		return t.shifted(x)
	}
	in := x.Space
	if in.Owned && t.tasks > 1 {
		t.Failf("task gradients at this activation: every row belongs to one task here; choose an activation before 'expand', and rows that tasks share")
		return t.Bad()
	}
	t.tap = above
	s := t.spaces.next()
	start := len(t.blocks)
	t.blocks = append(t.blocks, in.Blocks...)
	s.Blocks = t.blocks[start:len(t.blocks):len(t.blocks)]
	s.N, s.Keys, s.Owned = in.N, in.Keys, in.Owned
	t.layout(s)
	op := tapKind.New(t)
	y := t.NewVar(x.Value, s)
	*op = tap{x: x, y: y}
	y = t.Record("tap", op, y, false, x)
	if t.spread {
		return Expand(t, y)
	}
	return y
}

// shifted is what Tap makes of x in recordings that ShiftAt concerns.
func (t *Tape) shifted(x *Var) *Var {
	if !t.shift.Ok() {
		return x
	}
	x = Expand(t, x)
	if t.err == nil && (t.shift.Dim(0) != x.Rows() || t.shift.Dim(1) != x.Cols()) {
		t.Failf("tap: a shift of %v for %v", t.shift, x.Value)
	}
	if t.err != nil {
		return t.Bad()
	}
	h := t.New(x.Rows(), x.Cols())
	t.be.Axpy(kernels.Axpy{Dst: h, Src: t.shift, Alpha: t.alpha})
	return Add(t, x, t.Input(h, x.Space))
}

func (o *tap) Backward(t *Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	dx, acc, ok := t.Into(o.x)
	if !ok {
		return
	}
	if acc {
		t.Failf("tap: its input has another use, which task gradients at this activation would miss")
		return
	}
	t.runs, t.runTasks = t.runs[:0], t.runTasks[:0]
	blocks := o.y.Space.Blocks
	for i := 0; i < len(blocks); {
		b := blocks[i]
		first := len(t.runTasks)
		for ; i < len(blocks) && blocks[i].Act0 == b.Act0 && blocks[i].N == b.N; i++ {
			t.runTasks = append(t.runTasks, blocks[i].Task)
		}
		m := len(t.runTasks) - first
		if b.N == 0 {
			continue
		}
		t.runs = append(t.runs, TapRun{
			Tasks: t.runTasks[first:len(t.runTasks):len(t.runTasks)],
			J:     dy.Narrow(0, b.Cot0, m*b.N).Reshape(m, b.N*dy.Dim(1)),
			Dst:   dx.Narrow(0, b.Act0, b.N).Reshape(b.N * dy.Dim(1)),
			Z:     o.x.Value.Narrow(0, b.Act0, b.N),
			Row0:  b.Cot0,
		})
	}
	if err := t.combine(t.runs); err != nil && t.err == nil {
		t.err = err
	}
}
