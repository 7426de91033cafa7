package engine

import (
	"math"

	"artel/autograd"
	"artel/data"
	"artel/dtype"
	"artel/kernels"
	"artel/optim"
	"artel/tensor"

	"github.com/pkg/errors"
)

// flight is a step whose ops may still be under way when the host has gone on to the next one.
type flight struct {
	step   int64       // made before it
	before data.Cursor // position of the data before it
	ticket uint64
	out    tensor.Tensor // F64 [3]: squared norm of the gradient; the gate at the end: NaN when something was not finite or refused; the gate when parameters had moved, see learn
	kept   kept          // the losses of the step
	after  kept          // those of its batch after the update, where a method asks for them
	known  bool          // the losses of the engine are those of this step
	asked  *asked        // for a method that reads losses, or nil
	result Result
}

// kept are losses as recorded, for a look once they are there.
type kept struct {
	values tensor.Tensor // F64 [>=n]
	tasks  []int         // [n]
}

// Result is what a finished step tells.
type Result struct {
	Step   int64     // from 1
	Losses []float64 // by task
	Aux    float64   // auxiliary losses
	Info   optim.Info
}

// mostFlights is the number of steps that may be under way, the one that is being recorded among them.
const mostFlights = 2

// flights are the steps under way and the results of those that ended.
type flights struct {
	ring    [mostFlights]flight
	first   int
	under   int
	gate    tensor.Tensor // F64 [1]: 1, or NaN from a step on that was not finite; see kernels.Clip
	closely bool          // a step is looked at as it runs
	refused bool          // a method has refused losses after a step: from there on none is asked. While steps are under way only functions that ops call touch this
	done    []Result      // not fetched yet; the memory of the slices behind is used again
}

func newFlights(be *kernels.Backend, tasks int) *flights {
	f := &flights{gate: be.New(dtype.F64, 1)}
	f.open(be)
	for i := range f.ring {
		f.ring[i].out, f.ring[i].result.Losses = be.NewShared(dtype.F64, 3), make([]float64, tasks)
	}
	return f
}

// open lets steps change things again, when none is under way.
func (f *flights) open(be *kernels.Backend) {
	f.refused = false
	be.Fill(f.gate, 1)
}

// at returns the i-th oldest step under way; for i = under it is the one to be recorded.
func (f *flights) at(i int) *flight { return &f.ring[(f.first+i)%mostFlights] }

// normSq is where the squared norm of a step's gradient goes.
func (f *flight) normSq() tensor.Tensor { return f.out.Narrow(0, 0, 1) }

// takeOff begins a step: it makes room and notes where the data stands.
func (e *Engine) takeOff() error {
	e.flights.done = e.flights.done[:0]
	if err := e.collect(mostFlights - 1); err != nil {
		return err
	}
	f := e.flight()
	f.step, f.known, e.quiet = e.step, false, false
	e.keepIn(&f.kept)
	e.loader.CursorInto(&f.before)
	e.surgeon.normSq = f.normSq()
	return nil
}

// flight is the step at hand.
func (e *Engine) flight() *flight { return e.flights.at(e.flights.under) }

// closely reports whether the host looks at losses and norms while a step runs: on a backend that computes at once, where a method waits more than once anyway or
// has changed what it remembers on the device, and to find what was not finite.
func (e *Engine) closely() bool {
	return !e.be.Apart || e.flights.closely || e.surgeon.memory != nil || e.method.Needs.AfterStep && !e.weighs() || e.at != nil && e.at.rep != nil
}

// keepIn forgets the losses in k, where those of the recordings from here on go.
func (e *Engine) keepIn(k *kept) {
	k.tasks = k.tasks[:0]
	e.kept = k
}

// keepLosses notes the losses of a recording for later, and closes the gate when they are not finite.
func (e *Engine) keepLosses() {
	k, n := e.kept, e.tape.Losses()
	at := len(k.tasks)
	if !k.values.Ok() || k.values.Len() < at+n {
		old := k.values
		k.values = e.be.NewShared(dtype.F64, max(2*(at+n), 64))
		if at > 0 {
			e.be.Copy(kernels.Copy{Dst: k.values.Narrow(0, 0, at), Src: old.Narrow(0, 0, at)})
		}
	}
	for i := 0; i < n; {
		v := e.tape.LossValues(i)
		e.be.Copy(kernels.Copy{Dst: k.values.Narrow(0, at+i, v.Len()), Src: v})
		e.be.Check(kernels.Check{X: v, Gate: e.flights.gate})
		i += v.Len()
	}
	for i := range n {
		k.tasks = append(k.tasks, e.tape.LossAt(i).Task)
	}
}

// readKept sums up the kept losses of a step, once its ops have finished.
func (e *Engine) readKept(f *flight) (finite bool) {
	f.known = true
	e.aux, finite = f.kept.sum(e.losses)
	return finite
}

// sum adds up the losses by task, once they are there.
func (k *kept) sum(losses []float64) (aux float64, finite bool) {
	clear(losses)
	finite = true
	for i, t := range k.tasks {
		v := k.values.F64()[i]
		finite = finite && v-v == 0
		if t == autograd.AuxLoss {
			aux += v
		} else {
			losses[t] += v
		}
	}
	return aux, finite
}

// landed is called when all ops of the steps before have finished, in the middle of a step.
func (e *Engine) landed() error {
	step := e.step
	if err := e.collect(0); err != nil {
		return err
	}
	if e.step != step { // one of them was made again, and this one is lost
		return errors.Errorf("step %d: numbers were not finite, and were so when it was made again: is the device sound?", step)
	}
	return nil
}

// land ends a step: it is under way, or done on a backend that computes at once.
func (e *Engine) land() error {
	f := e.flight()
	if f.known = f.known || e.closely(); f.known {
		copy(f.result.Losses, e.losses)
		f.result.Aux = e.aux
	}
	e.be.Copy(kernels.Copy{Dst: f.out.Narrow(0, 1, 1), Src: e.flights.gate})
	f.ticket = e.be.Submit()
	e.flights.under++
	if !e.be.Apart || e.flights.closely {
		return e.collect(0)
	}
	return nil
}

// collect takes the results of steps until at most n are under way. A step that was not finite, and the ones after it, changed nothing: it is made again and looked at,
// which gives the error.
func (e *Engine) collect(n int) error {
	for fs := e.flights; fs.under > n; {
		f := fs.at(0)
		if err := e.be.Wait(f.ticket); err != nil {
			return err
		}
		if gate := f.out.F64()[1]; gate != gate {
			return e.again(f)
		}
		e.tell(f)
		fs.first, fs.under = (fs.first+1)%mostFlights, fs.under-1
	}
	return nil
}

// tell makes the result of a step that has ended.
func (e *Engine) tell(f *flight) {
	r := &f.result
	if !f.known {
		e.readKept(f)
		copy(r.Losses, e.losses)
		r.Aux = e.aux
	}
	r.Step, r.Info = f.step+1, e.opt.Info(f.step, f.out.F64()[0])
	e.flights.keep(r)
}

// keep copies a result to those not fetched yet.
func (f *flights) keep(r *Result) {
	n := len(f.done)
	if n < cap(f.done) {
		f.done = f.done[:n+1]
	} else {
		f.done = append(f.done, Result{})
	}
	d := &f.done[n]
	losses := append(d.Losses[:0], r.Losses...)
	*d = *r
	d.Losses = losses
}

// again goes back to before a step and makes it under the eyes of the host.
func (e *Engine) again(f *flight) error {
	if err := e.be.Sync(); err != nil {
		return err
	}
	fs := e.flights
	fs.under = 0
	e.step = f.step
	e.opt.SetSteps(f.step)
	e.cursor = data.Cursor{Batch: f.before.Batch, Pos: append([]uint64(nil), f.before.Pos...)}
	if err := e.loader.Seek(e.cursor); err != nil {
		return err
	}
	fs.open(e.be)
	if f.asked != nil && f.asked.moved() {
		return e.learnAgain(f)
	}
	state := e.surgeryState()
	var arrays [][]float64 // a method has seen this step already
	if f.asked != nil {
		f.asked.undo()
		state = nil
	}
	for _, a := range state {
		arrays = append(arrays, append([]float64(nil), a.Data...))
	}
	fs.closely = true
	err := e.Step()
	fs.closely = false
	for i, a := range state {
		copy(a.Data, arrays[i])
	}
	return err
}

// forget drops the steps under way and their results.
func (e *Engine) forget() {
	e.flights.under, e.flights.done = 0, e.flights.done[:0]
	e.flights.open(e.be)
}

// Finish waits for the steps under way. Its error is that of Step.
func (e *Engine) Finish() error { return e.collect(0) }

// Results returns what the steps tell that Step or Finish found finished, the oldest first. They are told once, and last until the next step.
func (e *Engine) Results() []Result {
	out := e.flights.done
	e.flights.done = e.flights.done[:0]
	return out
}

// notFinite reports a squared norm that stops a run.
func notFinite(normSq float64) bool { return !(normSq >= 0) || math.IsInf(normSq, 1) }
