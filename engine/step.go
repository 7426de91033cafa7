package engine

import "artel/internal/nvtx"

// Step trains on the next batch. It is the map of the code: every stage of training is one line here, and is called from nowhere else.
func (e *Engine) Step() error {
	nvtx.Push(stepRange)
	defer nvtx.Pop()
	if err := e.takeOff(); err != nil { // results of steps before; on a device two may be under way
		return err
	}
	e.nextBatches()          // rows and labels, in one or several passes
	for k := range e.sinks { // one batch, but for methods that compare independent ones
		if err := e.begin(k); err != nil { // no losses yet
			return err
		}
		for i, b := range e.batches {
			if err := e.pass(e.mode(), b); err != nil { // model forward, one loss per task
				return err
			}
			if !e.early() {
				if err := e.weighLosses(); err != nil { // for methods that weigh losses
					return err
				}
			}
			if err := e.backward(k, i == 0); err != nil { // one pass: a gradient for every task
				return err
			}
		}
	}
	if err := e.combine(); err != nil { // gradient surgery: task gradients become one
		return err
	}
	if err := e.update(); err != nil { // clip, schedule, optimizer
		return err
	}
	e.average()                           // moving average of the parameters
	e.endStep()                           // the step counts
	if err := e.afterStep(); err != nil { // losses after the update, for methods that learn from them
		return err
	}
	return e.land() // its results come with a later step, or now
}
