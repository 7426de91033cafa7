package engine

import (
	"math"

	"artel/autograd"
	"artel/kernels"
	"artel/param"
	"artel/tensor"
)

// blend makes the gradient of weights that are known, with less work or memory than combining kept rows:
//
//   - a plain backward pass whose losses are weighted. Parameters that a single task reaches are scaled back, so that they get their own gradient, as
//     where rows are combined. It serves one set of weights for all parameters.
//   - or a second pass over the same recording, in which the task gradients of every parameter are combined as they come.
type blend struct {
	sink     *param.Sink // plain, over the same memory as the step's gradient
	owner    []int       // by group: the one task that reaches it, -1 for none or several
	global   bool        // one unit holds all parameters that several tasks reach
	replay   bool        // the second pass is a plain one
	combines bool        // the pass at hand combines, else it makes inner products
	plain    bool        // the step at hand is a plain pass
	losses   []float64
}

// newBlend prepares what surgery.every and surgery.memory need; nil when they need nothing.
func newBlend(e *Engine, cfg *Config, reach []uint64) *blend {
	c := &cfg.Surgery
	if c.Every == 1 && c.Memory != "gram" {
		return nil
	}
	b := &blend{sink: param.NewPlainInto(e.be, e.Set, e.sink.Grad), losses: make([]float64, len(e.tasks))}
	b.global = len(e.surgeon.units) == 1 && c.Aux != "own-row"
	for i, g := range e.Set.Groups {
		b.owner = append(b.owner, -1)
		if param.Several(reach[i]) {
			b.global = b.global && e.surgeon.cells[g.Index].unit != nil
			continue
		}
		for t := range e.tasks {
			if reach[i]>>t&1 != 0 {
				b.owner[i] = t
			}
		}
	}
	// Where every row has an owner, a second pass has as many cotangent rows as a plain one, and needs no new forward pass.
	shared := false
	for _, d := range cfg.Data.Domains {
		shared = shared || d.Rows == "shared"
	}
	b.replay = b.global && shared
	return b
}

// tiny is under the rounding of float64 beside 1, and far enough above the least float32 for the gradients of a task.
const tiny = 1e-18

// seedsOf writes the factors of the losses that give the weights w, and reports whether any is not 0. A weight of 0 becomes a tiny one, so that the task's own parameters
// can be scaled back.
func seedsOf(seeds, w []float64) bool {
	top := 0.0
	for _, v := range w {
		top = math.Max(top, math.Abs(v))
	}
	for t := range seeds {
		seeds[t] = w[t]
		switch {
		case top == 0:
			seeds[t] = 1
		case math.Abs(w[t]) < tiny*max(top, 1e-6):
			seeds[t] = math.Copysign(tiny*max(top, 1e-6), w[t])
		}
	}
	return top > 0
}

// weighted runs a plain pass with the weights of the only unit over batches that were seen already in this step.
func (e *Engine) weighted() error {
	b := e.blend
	copy(b.losses, e.losses)
	aux := e.aux
	seedsOf(e.seeds, e.surgeon.units[0].w.F64())
	b.sink.Begin(e.be)
	for _, batch := range e.batches {
		if err := e.pass(autograd.Plain, batch); err != nil {
			return err
		}
		if err := e.tape.Backward(b.sink, e.seeds); err != nil {
			return err
		}
	}
	copy(e.losses, b.losses)
	e.aux = aux
	return e.be.Sync()
}

// scaleBack closes a weighted plain pass.
func (e *Engine) scaleBack() {
	b := e.blend
	e.surgeon.settleAll(b.sink)
	w := e.surgeon.units[0].w.F64()
	some := seedsOf(e.seeds, w)
	for i, g := range e.Set.Groups {
		grad := b.sink.GroupGrad(g)
		switch t := b.owner[i]; {
		case t >= 0 && e.seeds[t] != 1:
			e.be.Axpy(kernels.Axpy{Dst: grad, Src: grad, Alpha: 1 / e.seeds[t]})
		case !some && e.surgeon.cells[i].unit != nil:
			e.be.Fill(grad, 0)
		}
	}
}

// drain takes the task gradients of a parameter from a streaming sink: into the inner products of its group, or combined into the gradient.
func (e *Engine) drain(p *param.Param, rows, present tensor.Tensor) {
	s := e.surgeon
	c := &s.cells[p.Group.Index]
	if e.mask != nil {
		e.be.MaskRows(kernels.MaskRows{J: rows, Mask: e.mask.keep.Narrow(0, p.Off, p.Len()), Present: present})
	}
	if c.unit != nil && !e.blend.combines {
		e.be.Gram(kernels.Gram{J: rows, Present: present, G: c.gram})
		return
	}
	w := s.ones
	if c.unit != nil {
		w = c.unit.w
	}
	e.tape.Sync()
	counts := s.spare.I32()
	for t, v := range present.I32() {
		counts[t] = 0
		if t >= len(e.tasks) || e.everywhere[t] {
			counts[t] = v
		}
	}
	e.be.Combine(kernels.Combine{Dst: s.sink.Grad.Narrow(0, p.Off, p.Len()), J: rows, Present: s.spare, W: w})
}

// combineStreamed chooses weights from the inner products that a pass left, and makes the gradient by another pass. Where the weights were known, the
// first pass has made it.
func (e *Engine) combineStreamed() error {
	s, b := e.surgeon, e.blend
	if b.combines {
		e.finishCombining()
		return nil
	}
	for i := range s.units {
		s.settle(&s.units[i])
		if err := s.solve(e.step, &s.units[i]); err != nil {
			return err
		}
	}
	if b.replay {
		if err := e.weighted(); err != nil {
			return err
		}
		e.scaleBack()
		return nil
	}
	b.combines = true
	e.tape.Rewind()
	s.sink.Begin(e.be)
	if err := e.tape.Backward(s.sink, nil); err != nil {
		return err
	}
	if err := e.be.Sync(); err != nil {
		return err
	}
	e.finishCombining()
	return nil
}

// finishCombining closes a pass that combined task gradients as they came.
func (e *Engine) finishCombining() {
	s := e.surgeon
	for _, g := range e.Set.Groups {
		present := s.spare.I32()
		s.sink.Settle(e.be, g, present)
		if s.sink.PerTask(g) {
			e.fillUntouched(g)
		}
	}
}

// fillUntouched clears the gradient of parameters that no task reached in this step.
func (e *Engine) fillUntouched(g *param.Group) {
	for _, p := range g.Params {
		if !e.sink.Touched(p) {
			e.be.Fill(e.sink.Grad.Narrow(0, p.Off, p.Len()), 0)
		}
	}
}
