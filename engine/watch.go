package engine

// Stages of a step, as Watch names them.
const (
	DataStage     = "data"     // waiting for the batch
	ForwardStage  = "forward"  // the model and the losses
	BackwardStage = "backward" // task gradients; weights of methods that read losses
	SurgeryStage  = "surgery"  // task gradients become one
	UpdateStage   = "update"   // clipping, optimizer, average, and what a method does after the step
)

// Stages lists the stages in the order of a step. A step of several passes goes forward and backward several times.
func Stages() []string {
	return []string{DataStage, ForwardStage, BackwardStage, SurgeryStage, UpdateStage}
}

// Watch makes every step call f at the start of each of its stages, when the device has finished what came before; err is the device's. nil ends it. Waiting slows devices that
// run beside the host.
func (e *Engine) Watch(f func(stage string, err error)) { e.watch = f }

// stage tells who watches that a stage begins.
func (e *Engine) stage(name string) {
	if e.watch != nil {
		e.watch(name, e.be.Sync())
	}
}
