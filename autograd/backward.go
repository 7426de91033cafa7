package autograd

import (
	"artel/internal/nvtx"
	"artel/kernels"
	"artel/param"
	"artel/tensor"
)

// Backward runs the recording in reverse and leaves parameter gradients in sink, which must fit the mode: as many rows as tasks
// (one more with an auxiliary task) in per-task mode, one row in plain mode. Gradients add to what the sink holds since its Begin. seeds, when not nil, multiplies the loss of each
// task [M].
func (t *Tape) Backward(sink *param.Sink, seeds []float64) error {
	nvtx.Push(backwardRange)
	defer nvtx.Pop()
	if t.err != nil {
		return t.err
	}
	want := 1
	if t.mode == PerTask {
		want = t.tasks
		if t.auxTask {
			want++
		}
	}
	if sink.Tasks != want || t.mode == Eval {
		t.Failf("backward: a sink of %d rows for a recording that needs %d (mode %d)", sink.Tasks, want, t.mode)
		return t.err
	}
	if t.tap == below {
		t.Failf("backward: no tap was recorded, so that there are no task gradients")
		return t.err
	}
	t.sink, t.seeds, t.start = sink, seeds, t.arena.Mark()
	if sink.Streaming() {
		t.expect()
	}
	part := "" // of the model, whose range is open
	for i := len(t.nodes) - 1; i >= 0 && t.err == nil; i-- {
		if !t.nodes[i].out.needs {
			continue
		}
		part = t.within(part, t.nodes[i].scope)
		t.nodes[i].op.Backward(t)
		if sink.Streaming() {
			sink.Flush()
		}
	}
	t.within(part, "")
	if sink.Streaming() {
		sink.Finish()
	}
	return t.err
}

// within ends the range of one part of the model and begins that of another, for profilers; "" is none.
func (t *Tape) within(old, part string) string {
	if part == old || !nvtx.Active() {
		return old
	}
	if old != "" {
		nvtx.Pop()
	}
	if part != "" {
		nvtx.Push(t.named(part))
	}
	return part
}

// expect tells a streaming sink how often every parameter is used.
func (t *Tape) expect() {
	if t.announce == nil { // made once: steps allocate nothing
		t.announce = func(p *param.Param, _ uint64) { t.sink.Expect(p) }
	}
	for i := range t.nodes {
		if u, ok := t.nodes[i].op.(ParamUser); ok && t.nodes[i].out.needs {
			u.Uses(t.announce)
		}
	}
}

// Rewind forgets the last backward pass, so that another one can run over the same recording. Only a pass into a streaming sink leaves the recording whole.
func (t *Tape) Rewind() {
	if t.sink == nil || !t.sink.Streaming() {
		t.Failf("rewind: the last backward pass used up the recording")
		return
	}
	t.arena.Release(t.start)
	for i := range t.vars.n {
		v := &t.vars.chunks[i/slabChunk][i%slabChunk]
		v.grad, v.written = tensor.Tensor{}, blockSet{}
	}
}

// Sink returns the destination of parameter gradients; valid during Backward.
func (t *Tape) Sink() *param.Sink { return t.sink }

// SeedBy gives the backward passes over this recording further factors of the losses, which ops or Backend.Call have written by then: F64 [M], none NaN.
func (t *Tape) SeedBy(by tensor.Tensor) { t.by = by }

// Seed returns the factor of a task's loss in this backward pass, and the further one of SeedBy (F64 [1]) or none.
func (t *Tape) Seed(task int) (factor float64, by tensor.Tensor) {
	factor = 1
	if t.seeds != nil {
		factor = t.seeds[task]
	}
	if t.by.Ok() {
		by = t.by.Narrow(0, task, 1)
	}
	return factor, by
}

// Grad returns the cotangent of v, [C,cols]; ok is false when nothing reached it, and then the op has nothing to do.
func (t *Tape) Grad(v *Var) (g tensor.Tensor, ok bool) {
	if v.parent != nil {
		p := v.parent
		b := &p.Space.Blocks[v.block]
		if !p.grad.Ok() || !p.written.has(b.flag) {
			return tensor.Tensor{}, false
		}
		return p.grad.Narrow(0, b.Cot0, b.N), true
	}
	if !v.grad.Ok() {
		return v.grad, false
	}
	t.completeBlocks(v)
	return v.grad, true
}

// completeBlocks zeroes the cotangent rows of v that nothing has written yet.
func (t *Tape) completeBlocks(v *Var) {
	n := len(v.Space.Blocks)
	for i := range v.Space.Blocks {
		b := &v.Space.Blocks[i]
		if b.flag == i && !v.written.has(i) {
			t.be.Fill(v.grad.Narrow(0, b.Cot0, b.N), 0)
		}
	}
	if v.Space.aux0 >= 0 && !v.written.has(maxBlocks-1) {
		t.be.Fill(v.grad.Narrow(0, v.Space.aux0, v.Space.N), 0)
	}
	v.written.addAll(n)
	v.written.add(maxBlocks - 1)
}

// Into returns where to write the cotangent of v, and whether to add to it. ok is false when v needs none.
func (t *Tape) Into(v *Var) (dst tensor.Tensor, accumulate, ok bool) {
	if !v.needs {
		return tensor.Tensor{}, false, false
	}
	if p := v.parent; p != nil {
		if !p.grad.Ok() {
			p.grad = t.New(p.Space.C, p.Cols())
		}
		b := &p.Space.Blocks[v.block]
		accumulate = p.written.has(b.flag)
		p.written.add(b.flag)
		return p.grad.Narrow(0, b.Cot0, b.N), accumulate, true
	}
	if !v.grad.Ok() {
		v.grad = t.New(v.Space.C, v.Cols())
		v.written.addAll(len(v.Space.Blocks))
		v.written.add(maxBlocks - 1)
		return v.grad, false, true
	}
	t.completeBlocks(v)
	return v.grad, true, true
}

// intoBlock is Into for the cotangent rows of block i of v.
func (t *Tape) intoBlock(v *Var, i int) (dst tensor.Tensor, accumulate, ok bool) {
	view := Var{parent: v, block: i, needs: v.needs}
	if v.parent != nil { // a task view has one block, which is itself
		return t.Into(v)
	}
	return t.Into(&view)
}

// intoAux is Into for the cotangent rows of the auxiliary task.
func (t *Tape) intoAux(v *Var) (dst tensor.Tensor, accumulate, ok bool) {
	if !v.needs {
		return tensor.Tensor{}, false, false
	}
	if !v.grad.Ok() {
		v.grad = t.New(v.Space.C, v.Cols())
	}
	accumulate = v.written.has(maxBlocks - 1)
	v.written.add(maxBlocks - 1)
	return v.grad.Narrow(0, v.Space.aux0, v.Space.N), accumulate, true
}

// Add adds g, the cotangent of v that some op computed elsewhere.
func (t *Tape) Add(v *Var, g tensor.Tensor) {
	if dst, acc, ok := t.Into(v); ok {
		t.be.Axpy(kernels.Axpy{Dst: dst, Src: g, Alpha: 1, Accumulate: acc})
	}
}

// Give is Add for a g whose memory nobody else needs any more: v takes it over instead of copying when it has no
// cotangent yet.
func (t *Tape) Give(v *Var, g tensor.Tensor) {
	if v.needs && v.parent == nil && !v.grad.Ok() && g.Contiguous() {
		v.grad = g
		v.written.addAll(len(v.Space.Blocks))
		v.written.add(maxBlocks - 1)
		return
	}
	t.Add(v, g)
}

// backwardRange is what a profiler shows around a backward pass.
var backwardRange = nvtx.New("backward")
