package autograd

import (
	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

// Loss is one scalar that a backward pass starts from.
type Loss struct {
	Name  string
	Task  int           // AuxLoss for an auxiliary loss
	Scope string        // part of the model, for messages
	Value tensor.Tensor // F64 [1]
}

// AuxLoss is the Task of auxiliary losses.
const AuxLoss = -1

// Losses returns the number of losses recorded and LossAt the i-th, in the order of recording.
func (t *Tape) Losses() int { return t.losses.n }

// LossAt returns loss i.
func (t *Tape) LossAt(i int) *Loss { return &t.losses.chunks[i/slabChunk][i%slabChunk] }

// lossRoom is the number of losses whose values lie side by side.
const lossRoom = 64

// LossValues returns the values of losses i and up as far as they lie side by side, F64 [n].
func (t *Tape) LossValues(i int) tensor.Tensor {
	at := i % lossRoom
	return t.lossRooms[i/lossRoom].Narrow(0, at, min(lossRoom-at, t.losses.n-i))
}

// newLoss records a scalar that starts at 0.
func (t *Tape) newLoss(name string, task int) *Loss {
	at := t.losses.n % lossRoom
	if at == 0 {
		room := t.NewShared(dtype.F64, lossRoom)
		t.be.Fill(room, 0)
		t.lossRooms = append(t.lossRooms, room)
	}
	l := t.losses.next()
	*l = Loss{Name: name, Task: task, Value: t.lossRooms[len(t.lossRooms)-1].Narrow(0, at, 1)}
	if len(t.scope) > 0 {
		l.Scope = t.scope[len(t.scope)-1]
	}
	return l
}

// taskLoss is the record of a loss on the rows of one task. The gradient was made with the value, in one pass.
type taskLoss struct {
	x, out *Var
	dx     tensor.Tensor
	task   int
}

var taskLossKind = NewKind[taskLoss]("loss")

// startLoss checks that the rows of x belong to one task and makes the record.
func startLoss(t *Tape, name string, x *Var) (*taskLoss, *Loss) {
	if t.err == nil && len(x.Space.Blocks) != 1 {
		t.Failf("%s: the rows belong to %d tasks; a loss reads a TaskView", name, len(x.Space.Blocks))
	}
	if t.err != nil {
		return nil, nil
	}
	op := taskLossKind.New(t)
	*op = taskLoss{x: x, out: t.NewVar(tensor.Tensor{}, x.Space), task: x.Space.Blocks[0].Task}
	if t.Training() {
		op.dx = t.New(x.Rows(), x.Cols())
	}
	return op, t.newLoss(name, op.task)
}

func (o *taskLoss) Backward(t *Tape) {
	seed, by := t.Seed(o.task)
	if seed == 1 && !by.Ok() && !t.sink.Streaming() { // a pass that may be repeated leaves the gradient as it is
		t.Give(o.x, o.dx)
		return
	}
	if dx, acc, ok := t.Into(o.x); ok {
		t.be.Axpy(kernels.Axpy{Dst: dx, Src: o.dx, Alpha: seed, By: by, Accumulate: acc})
	}
}

// CrossEntropy adds softmax cross-entropy of a task's logits: scale * sum over rows with a label. See kernels.CrossEntropy.
//
//	x [n,V]  label I32 [n], negative for a missing one
func CrossEntropy(t *Tape, x *Var, label tensor.Tensor, scale, smoothing float64) {
	op, l := startLoss(t, "cross-entropy", x)
	if op == nil {
		return
	}
	if label.Len() != x.Rows() {
		t.Failf("cross-entropy: %d labels for %d rows", label.Len(), x.Rows())
		return
	}
	t.be.CrossEntropy(kernels.CrossEntropy{X: x.Value, DX: op.dx, Label: label, Loss: l.Value, Scale: scale, Smoothing: smoothing})
	t.Record("cross-entropy", op, op.out, false, x)
}

// BCE adds binary cross-entropy on logits: scale * sum over elements with a target (NaN is a missing one).
//
//	x, target [n,V]
func BCE(t *Tape, x *Var, target tensor.Tensor, scale float64) {
	op, l := startLoss(t, "bce", x)
	if op == nil {
		return
	}
	if !target.SameShape(x.Value) {
		t.Failf("bce: targets %v for logits %v", target, x.Value)
		return
	}
	t.be.BCE(kernels.BCE{X: x.Value, DX: op.dx, Target: target, Loss: l.Value, Scale: scale})
	t.Record("bce", op, op.out, false, x)
}

// Regression adds squared error (delta 0) or the Huber loss: scale * sum over elements with a target (NaN is a missing one).
//
//	x, target [n,V]
func Regression(t *Tape, x *Var, target tensor.Tensor, scale, delta float64) {
	op, l := startLoss(t, "regression", x)
	if op == nil {
		return
	}
	if !target.SameShape(x.Value) || delta < 0 {
		t.Failf("regression: targets %v for outputs %v, delta %v", target, x.Value, delta)
		return
	}
	t.be.Regression(kernels.Regression{X: x.Value, DX: op.dx, Target: target, Loss: l.Value, Scale: scale, Delta: delta})
	t.Record("regression", op, op.out, false, x)
}
