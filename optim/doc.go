// Package optim updates parameters from one combined gradient: rules (SGD, Adam, AdamW, Lion, Muon), learning-rate schedules,
// clipping by the global norm, and settings by parameter group.
//
// New cuts the flat parameter space into runs once: neighbouring parameters with equal settings become one run, so a step is a
// few large kernel calls. A rule is one file that registers an Entry; it keeps nothing itself, its state is named tensors
// that the Optimizer holds and a checkpoint saves. A schedule is one file that registers a ScheduleEntry and gives a pure
// function of the step. A step allocates nothing and never reads device memory.
package optim
