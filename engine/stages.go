package engine

import (
	"math"

	"artel/autograd"
	"artel/data"
	"artel/dtype"
	"artel/gradsurgery"
	"artel/internal/nvtx"
	"artel/kernels"
	"artel/param"
	"artel/tensor"

	"github.com/pkg/errors"
)

// nextBatches fetches the batches of a step: one, or as many independent ones as the method asks for, each in several passes when the step accumulates.
func (e *Engine) nextBatches() {
	e.stage(DataStage)
	e.fetched = e.fetched[:0]
	for len(e.fetched) < e.Config.Accumulate*len(e.sinks) {
		e.fetched = append(e.fetched, e.loader.Next())
	}
	for t := range e.everywhere {
		e.everywhere[t] = true
	}
	e.Set.Keep(len(e.fetched) > 1 || e.blend != nil) // batches of one step see the same weights, and so do two passes over one
}

// useBatch turns to independent batch k: its passes, and the number of labels of every task over all of them.
func (e *Engine) useBatch(k int) {
	n := e.Config.Accumulate
	e.batches = e.fetched[k*n : (k+1)*n]
	clear(e.labels)
	for _, b := range e.batches {
		for i := range b.Segments {
			e.labels[b.Segments[i].Task] += countLabels(&b.Segments[i])
		}
	}
	for t, n := range e.labels {
		e.everywhere[t] = e.everywhere[t] && n > 0
	}
}

// countLabels is the number of labels (or of values) that are there.
func countLabels(s *data.Segment) (n int) {
	for _, l := range s.Labels {
		if l >= 0 {
			n++
		}
	}
	for _, v := range s.Values {
		if v == v {
			n++
		}
	}
	return n
}

// begin turns to independent batch k, forgets the losses of the last step, and finds the loss weights of a step of several passes.
func (e *Engine) begin(k int) error {
	e.useBatch(k)
	if e.early() {
		if !e.method.Needs.Blind {
			if err := e.replay(); err != nil {
				return err
			}
		}
		if err := e.weighLosses(); err != nil {
			return err
		}
	}
	e.reuse()
	if e.early() && e.weighsApart() {
		e.quiet = true // the losses are kept
		return nil
	}
	clear(e.losses)
	e.aux = 0
	e.keepIn(&e.flight().kept)
	return nil
}

// backward runs a backward pass into the sink of independent batch k; the first one forgets the gradients of the last step there.
func (e *Engine) backward(k int, first bool) error {
	sink := e.destination(k)
	if first {
		sink.Begin(e.be)
		if e.held != nil {
			e.held.begin()
		}
		if sink.Streaming() {
			for i := range e.surgeon.cells {
				e.be.Fill(e.surgeon.cells[i].gram, 0)
			}
		}
	}
	switch {
	case e.weighsApart():
		e.tape.SeedBy(e.weights)
	case e.mode() == autograd.Plain:
		return e.tape.Backward(sink, e.seeds)
	}
	return e.tape.Backward(sink, nil)
}

// reuse finds out whether the weights of an earlier step serve this one, and whether a plain pass will do then.
func (e *Engine) reuse() {
	s := e.surgeon
	s.reused = e.step%e.Config.Surgery.Every != 0
	if e.blend == nil {
		return
	}
	e.blend.plain = s.reused && e.blend.global
	e.blend.combines = s.reused && !e.blend.plain
	if e.blend.plain {
		seedsOf(e.seeds, s.units[0].w.F64())
	}
}

// plainStep reports whether the step at hand is a plain backward pass with weights from an earlier one.
func (e *Engine) plainStep() bool { return e.blend != nil && e.blend.plain }

// destination is where the backward passes of independent batch k leave gradients.
func (e *Engine) destination(k int) *param.Sink {
	if e.plainStep() {
		return e.blend.sink
	}
	return e.sinks[k]
}

// mode is what tapes are recorded for.
func (e *Engine) mode() autograd.Mode {
	if e.method.Needs.Level == gradsurgery.Losses || e.plainStep() {
		return autograd.Plain
	}
	return autograd.PerTask
}

// pass records the model and the losses of one batch.
func (e *Engine) pass(mode autograd.Mode, b *data.Batch) error {
	nvtx.Push(forwardRange)
	defer nvtx.Pop()
	e.stage(ForwardStage)
	defer e.stage(BackwardStage)
	e.tape.Begin(mode, e.surgeon.rows > len(e.tasks))
	e.active = tensor.Tensor{}
	if e.at != nil {
		e.at.prepare(e.tape)
	}
	e.tape.SetRowShare(float64(b.Rows) / float64(e.Config.Batch))
	e.recordLosses(e.forward(b), b)
	return e.finite()
}

// recordLosses records the loss of every task that has labels: the sum over its rows, divided by their number in the whole step.
func (e *Engine) recordLosses(h *autograd.Var, b *data.Batch) {
	for i := range b.Segments {
		s := &b.Segments[i]
		if n := e.labels[s.Task]; n > 0 {
			e.recordLoss(h, s, e.tasks[s.Task].weight/float64(n))
		}
	}
	switch {
	case e.quiet:
		return
	case !e.closely():
		e.keepLosses()
		return
	}
	e.tape.Sync()
	for i := 0; i < e.tape.Losses(); i++ {
		l := e.tape.LossAt(i)
		e.addLoss(l.Task, l.Value.F64()[0])
	}
}

// addLoss adds a recorded loss to that of its task, or to the auxiliary ones.
func (e *Engine) addLoss(task int, v float64) {
	if task == autograd.AuxLoss {
		e.aux += v
	} else {
		e.losses[task] += v
	}
}

// takesPart reports whether the task has labels in all independent batches; those that are no tasks of the engine always take part.
func (e *Engine) takesPart(task int) bool { return task >= len(e.tasks) || e.everywhere[task] }

// present lists the tasks with labels in this step.
func (e *Engine) present() {
	e.ids = e.ids[:0]
	for t, n := range e.labels {
		if n > 0 {
			e.ids = append(e.ids, t)
		}
	}
}

// combine makes one gradient from what the backward passes left, and its squared norm.
func (e *Engine) combine() error {
	nvtx.Push(surgeryRange)
	defer nvtx.Pop()
	e.stage(SurgeryStage)
	s := e.surgeon
	switch {
	case e.method.Needs.Level == gradsurgery.Losses:
		e.sink.Settle(e.be, tensor.Tensor{}, tensor.Tensor{}, false)
	case e.plainStep():
		e.scaleBack()
	case e.sink.Streaming():
		if err := e.combineStreamed(); err != nil {
			return err
		}
	default:
		if e.mask != nil {
			for _, k := range e.sinks {
				e.mask.rows(e.be, k)
			}
		}
		err := s.combine(e.step, e.activeTasks(), e.held)
		if err != nil || e.at == nil || e.at.rep == nil {
			return err
		}
		if err := e.at.rep.add(); err != nil {
			return err
		}
	}
	if e.mask != nil {
		e.mask.gradient(e.be, e.sink.Grad)
	}
	e.opt.NormSq(e.sink.Grad, s.normSq)
	return nil
}

// met is called when the inner products of a step are there, and with them its losses.
func (e *Engine) met() error {
	if !e.closely() {
		if err := e.landed(); err != nil {
			return err
		}
		if !e.readKept(e.flight()) {
			return e.finiteLosses()
		}
	}
	for t := range e.surgeon.losses {
		if t < len(e.tasks) {
			e.surgeon.losses[t] = e.losses[t]
		} else {
			e.surgeon.losses[t] = e.aux
		}
	}
	return nil
}

// activeTasks is a table of the tasks that take part in surgery, I32 [M], for kernels: those with labels in all batches, and an auxiliary one.
func (e *Engine) activeTasks() tensor.Tensor {
	if !e.active.Ok() {
		e.active = e.tape.NewShared(dtype.I32, e.surgeon.rows)
		for t := range e.surgeon.rows {
			e.active.I32()[t] = 0
			if e.takesPart(t) {
				e.active.I32()[t] = 1
			}
		}
	}
	return e.active
}

// update applies the gradient. One that is not finite (the losses were) stops the run like a loss that is not finite.
func (e *Engine) update() error {
	nvtx.Push(updateRange)
	defer nvtx.Pop()
	e.stage(UpdateStage)
	if e.closely() {
		if err := e.be.Sync(); err != nil {
			return err
		}
		if v := e.surgeon.normSq.F64()[0]; notFinite(v) {
			return errors.WithStack(&NotFiniteError{Step: e.step + 1, Task: "gradient norm", Loss: math.Sqrt(v), Layer: e.surgeon.firstNotFinite()})
		}
	}
	if err := e.opt.Queue(e.sink.Grad, e.surgeon.normSq, e.flights.gate); err != nil {
		return err
	}
	if e.mask != nil {
		e.mask.restore(e.be, e.Set.Flat)
		e.Set.Refresh(0, e.Set.Flat.Len())
	}
	return nil
}

// average moves the average of the parameters.
func (e *Engine) average() {
	if !e.ema.Ok() {
		return
	}
	// The decay grows from 0, so that the start is forgotten: min(EMA, (1+t)/(10+t)).
	d := min(e.Config.EMA, float64(1+e.step)/float64(10+e.step))
	e.be.Axpy(kernels.Axpy{Dst: e.ema, Src: e.ema, Alpha: d, By: e.flights.gate})
	e.be.Axpy(kernels.Axpy{Dst: e.ema, Src: e.Set.Flat, Alpha: 1 - d, By: e.flights.gate, Accumulate: true})
}

// endStep makes the step count: a checkpoint from here on continues with the next batch.
func (e *Engine) endStep() {
	e.step++
	e.loader.CursorInto(&e.cursor)
}

// afterStep gives a method that asks for them the losses of the same batch after the update.
func (e *Engine) afterStep() error {
	if !e.method.Needs.AfterStep {
		return nil
	}
	if e.weighsApart() {
		return e.learn()
	}
	before, aux := append(e.small[:0], e.losses...), e.aux
	if err := e.replay(); err != nil {
		return err
	}
	e.present()
	err := e.method.AfterStep(e.ids, e.presentLosses())
	copy(e.losses, before)
	e.aux = aux
	return err
}

// finite stops a run whose loss is not a number, and says where it went wrong first.
func (e *Engine) finite() error {
	if err := e.tape.Err(); err != nil || !e.closely() || e.quiet {
		return err
	}
	return e.finiteLosses()
}

// finiteLosses looks at the losses of the recording.
func (e *Engine) finiteLosses() error {
	for i := 0; i < e.tape.Losses(); i++ {
		l := e.tape.LossAt(i)
		v := l.Value.F64()[0]
		if v-v == 0 {
			continue
		}
		task := "auxiliary loss " + l.Name
		if l.Task >= 0 {
			task = "loss of task " + e.tasks[l.Task].Name
		}
		return errors.WithStack(&NotFiniteError{Step: e.step + 1, Task: task, Loss: v, Layer: e.tape.FirstNotFinite()})
	}
	return nil
}
