package engine

import (
	"math"

	"artel/autograd"
	"artel/dtype"
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

	nowhere, first tensor.Tensor // I32 [1,SettleCols] and [2]: one parameter, for its flags alone
	present        tensor.Tensor // I32 [1,M]
}

// newBlend prepares what surgery.every and surgery.memory need; nil when they need nothing.
func newBlend(e *Engine, cfg *Config, reach []uint64) *blend {
	c := &cfg.Surgery
	if c.Every == 1 && c.Memory != "gram" {
		return nil
	}
	b := &blend{sink: param.NewPlainInto(e.be, e.Set, e.sink.Grad), losses: make([]float64, len(e.tasks))}
	b.nowhere, b.first, b.present = e.be.New(dtype.I32, 1, kernels.SettleCols), e.be.New(dtype.I32, 2), e.be.New(dtype.I32, 1, e.surgeon.rows)
	e.be.Fill(b.nowhere, -1)
	e.be.Fill(b.first.Narrow(0, 1, 1), 1)
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
	e.quiet = true
	for _, batch := range e.batches {
		if err := e.pass(autograd.Plain, batch); err != nil {
			return err
		}
		if err := e.tape.Backward(b.sink, e.seeds); err != nil {
			return err
		}
	}
	e.quiet = false
	copy(e.losses, b.losses)
	e.aux = aux
	return nil
}

// scaleBack closes a weighted plain pass.
func (e *Engine) scaleBack() {
	b := e.blend
	b.sink.Settle(e.be, tensor.Tensor{}, tensor.Tensor{}, false)
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
	b := e.blend
	e.be.Settle(kernels.Settle{Touched: present.Reshape(1, s.rows), Table: b.nowhere, First: b.first, Active: e.activeTasks(), Present: b.present})
	e.be.Combine(kernels.Combine{Dst: s.sink.Grad.Narrow(0, p.Off, p.Len()), J: rows, Present: b.present.At(0), W: w})
}

// combineStreamed chooses weights from the inner products that a pass left, and makes the gradient by another pass. Where the weights were known, the
// first pass has made it.
func (e *Engine) combineStreamed() error {
	s, b := e.surgeon, e.blend
	if b.combines {
		s.sink.Complete(e.be)
		return nil
	}
	s.sink.Settle(e.be, e.activeTasks(), s.present, false)
	if err := s.meet(nil); err != nil {
		return err
	}
	for i := range s.units {
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
	s.sink.Complete(e.be)
	return nil
}
