package engine

import "fmt"

// NotFiniteError says that a loss became NaN or infinite. The parameters are those before the step.
type NotFiniteError struct {
	Step  int64
	Task  string  // "task left"
	Loss  float64 // the loss
	Layer string  // first layer whose output is not finite, or ""
}

// Error names step, task and layer, and what to try.
func (e *NotFiniteError) Error() string {
	where := e.Layer
	if where == "" {
		where = "the loss itself"
	}
	return fmt.Sprintf("step %d: %s: loss is %v; first non-finite values in %s. The parameters of step %d are kept; "+
		"try a lower optimizer.lr, a longer optimizer.warmup or optimizer.clip_norm", e.Step, e.Task, e.Loss, where, e.Step-1)
}
