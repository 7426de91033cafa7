package engine

import (
	"math"

	"artel/autograd"
	"artel/dtype"
	"artel/gradsurgery"
	"artel/kernels"
	"artel/tensor"
)

// weighLosses asks a method that reads losses for the weights of this step, once the losses of all passes are there or on their way. A step of several passes needs
// one more forward pass for them, before its first pass; a step of one pass has them when its forward pass is done.
func (e *Engine) weighLosses() error {
	if e.method.Needs.Level != gradsurgery.Losses {
		return nil
	}
	e.present()
	if e.weighsApart() {
		e.ask()
		return nil
	}
	for t := range e.seeds {
		e.seeds[t] = 1
	}
	w := e.small[:len(e.ids)]
	in := &e.surgeon.in
	*in = e.question(e.ids, e.presentLosses())
	if err := e.method.Weights(in, w); err != nil {
		return err
	}
	for i, t := range e.ids {
		e.seeds[t] = w[i]
	}
	return nil
}

// question is what a method that reads losses is asked in this step.
func (e *Engine) question(tasks []int, losses []float64) gradsurgery.Input {
	return gradsurgery.Input{Step: e.step, Tasks: tasks, Losses: losses, RNG: e.surgeon.stream.Sub("unit", 0).At(uint64(e.step))}
}

// early reports whether loss weights have to be known before the first of several passes.
func (e *Engine) early() bool {
	return e.method.Needs.Level == gradsurgery.Losses && len(e.batches) > 1
}

// presentLosses gathers the losses of the present tasks.
func (e *Engine) presentLosses() []float64 {
	s := e.surgeon.small[:0]
	for _, t := range e.ids {
		s = append(s, e.losses[t])
	}
	e.surgeon.small = s
	return s
}

// replay runs the step's forward passes for their losses alone.
func (e *Engine) replay() error {
	clear(e.losses)
	e.aux = 0
	for _, b := range e.batches {
		if err := e.pass(autograd.Plain, b); err != nil {
			return err
		}
	}
	return nil
}

// asked is how a method that reads losses is asked while the device computes: between the ops that make the losses and those that read their weights the
// backend calls a function, which sees what ops left in shared tables; another one, where the method learns from losses after the step, behind the ops that make those. Until
// the step is collected nothing else touches this, or what the method remembers.
type asked struct {
	f      *flight
	fs     *flights
	method *gradsurgery.Surgery
	in     gradsurgery.Input
	losses []float64     // [M]
	w      []float64     // [M], of the present tasks
	answer tensor.Tensor // F64 [M+2]: weights of the losses, 1 by default; then 1, or NaN when the method has refused them; the same for the losses after the step
	before []float64     // what the method remembered before

	call, callAfter func() // run and runAfter; made once
}

// weighs reports whether the method at work makes weights of losses.
func (e *Engine) weighs() bool {
	return e.method.Needs.Level == gradsurgery.Losses && !e.method.Needs.Blind
}

// weighsApart reports whether a method is asked for weights of losses that the host has not seen.
func (e *Engine) weighsApart() bool { return e.weighs() && !e.closely() }

// newAsked prepares the steps that may be under way.
func (e *Engine) newAsked() {
	if !e.weighsApart() {
		return
	}
	m, size := len(e.tasks), 0
	for _, s := range e.method.State() {
		size += len(s.Data)
	}
	e.weights = e.be.New(dtype.F64, m)
	for i := range e.flights.ring {
		f := &e.flights.ring[i]
		a := &asked{f: f, fs: e.flights, method: e.method, losses: make([]float64, m), w: make([]float64, m), answer: e.be.NewShared(dtype.F64, m+2), before: make([]float64, size)}
		a.in.Tasks, a.in.Losses = make([]int, 0, m), make([]float64, 0, m)
		a.call, a.callAfter = a.run, a.runAfter
		f.asked = a
	}
}

// ask queues the question of the step at hand, and where its answer goes: into the factors of the losses, and into the gate.
func (e *Engine) ask() {
	a := e.flight().asked
	a.in = e.question(append(a.in.Tasks[:0], e.ids...), a.in.Losses[:0])
	m := len(e.tasks)
	e.be.Call(a.call)
	e.be.Copy(kernels.Copy{Dst: e.weights, Src: a.answer.Narrow(0, 0, m)})
	e.be.Check(kernels.Check{X: a.answer.Narrow(0, m, 1), Gate: e.flights.gate})
}

// run asks the method. A step whose losses it refuses, because they are not finite or for reasons of its own, changes nothing and is made again later under the eyes of the
// host, which then gets the error.
func (a *asked) run() {
	out := a.answer.F64()
	for t := range out {
		out[t] = 1
	}
	if a.fs.refused {
		return
	}
	saved := a.before[:0]
	for _, s := range a.method.State() {
		saved = append(saved, s.Data...)
	}
	a.sum(&a.f.kept)
	w := a.w[:len(a.in.Tasks)]
	if a.method.Weights(&a.in, w) != nil {
		out[len(out)-2] = math.NaN()
		return
	}
	for i, t := range a.in.Tasks {
		out[t] = w[i]
	}
}

// sum makes the losses of the present tasks of those kept, and reports whether all are finite.
func (a *asked) sum(k *kept) (finite bool) {
	_, finite = k.sum(a.losses)
	a.in.Losses = a.in.Losses[:0]
	for _, t := range a.in.Tasks {
		a.in.Losses = append(a.in.Losses, a.losses[t])
	}
	return finite
}

// learn queues the forward passes after the update, and the function that hands their losses to the method.
func (e *Engine) learn() error {
	f := e.flight()
	e.be.Copy(kernels.Copy{Dst: f.out.Narrow(0, 2, 1), Src: e.flights.gate})
	e.quiet = false
	e.keepIn(&f.after)
	if err := e.replay(); err != nil {
		return err
	}
	e.be.Call(f.asked.callAfter)
	e.be.Check(kernels.Check{X: f.asked.answer.Narrow(0, len(e.tasks)+1, 1), Gate: e.flights.gate})
	return nil
}

// runAfter hands the method the losses after the step, unless the step has changed nothing. When they are not finite, or the method refuses them, the steps behind this one
// change nothing, what the method remembers in the middle of a step included: the host hands the losses over once more, and gets the error.
func (a *asked) runAfter() {
	if a.fs.refused || !a.moved() {
		return
	}
	if !a.sum(&a.f.after) || a.method.AfterStep(a.in.Tasks, a.in.Losses) != nil {
		a.fs.refused = true
		out := a.answer.F64()
		out[len(out)-1] = math.NaN()
	}
}

// moved reports whether the step of a method that learns from losses after it has moved parameters, once the ops of the step have finished.
func (a *asked) moved() bool {
	gate := a.f.out.F64()[2]
	return a.method.Needs.AfterStep && gate == gate
}

// learnAgain goes to the end of a step that counts, but whose losses after it do not, and makes these under the eyes of the host.
func (e *Engine) learnAgain(f *flight) error {
	e.nextBatches()
	e.useBatch(0)
	e.endStep()
	e.opt.SetSteps(e.step)
	e.flights.closely = true
	err := e.afterStep()
	e.flights.closely = false
	if err == nil {
		e.tell(f)
	}
	return err
}

// undo gives the method back what it remembered before the step.
func (a *asked) undo() {
	saved := a.before
	for _, s := range a.method.State() {
		saved = saved[copy(s.Data, saved):]
	}
}
