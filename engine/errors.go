package engine

import "fmt"

// NotFiniteError says that a loss or the gradient became NaN or infinite. The parameters are those before the step.
type NotFiniteError struct {
	Step  int64
	Task  string  // what is not finite: "loss of task left", "gradient norm"
	Loss  float64 // its value
	Layer string  // first layer whose output (or group whose gradient) is not finite, or ""
}

// Error names step, task and layer, and what to try.
func (e *NotFiniteError) Error() string {
	where := e.Layer
	if where == "" {
		where = "the loss itself"
	}
	return fmt.Sprintf("step %d: %s is %v; first non-finite values in %s. The parameters of step %d are kept; "+
		"try a lower optimizer.lr, a longer optimizer.warmup or optimizer.clip_norm", e.Step, e.Task, e.Loss, where, e.Step-1)
}
