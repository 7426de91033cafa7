// Package gradsurgery decides how the gradients of several tasks become one.
//
// A model with M tasks has M gradients of its shared parameters, the rows of J [M,P]. A method turns them into one update.
// Most methods are weights: g = J^T w with w = f(G), G = J J^T [M,M], or w = f(losses). So a method here is float64 arithmetic
// on at most 64 numbers squared; it never sees a device, a parameter or a tensor. The engine makes G with kernels.Gram, asks
// for w, and applies it with kernels.Combine; methods that work on every coordinate (GradDrop) name a column kernel instead.
//
// Members register an Entry from init, one file each. The engine builds one Surgery per run and drives it by its Needs:
//
//	Losses         w = Weights(losses)                 before the backward pass; the pass is seeded with w_t * loss_t
//	Gram           G = J J^T per unit; Weights(G, losses); g = J^T w of the last batch, per unit
//	TaskGradients  Columns(...) names the kernel that reads J and writes g, per unit
//
// A unit is one set of parameters that gets weights of its own: everything shared (one unit), one layer, or one expert of one
// layer. Only tasks that are present in a unit (have rows that reach it) take part there; m is their number. With Losses there
// is always one unit, and the weights also scale the gradients of task heads, because they scale the losses.
package gradsurgery

import "artel/rng"

// MaxTasks is the largest number of tasks: what the solvers are tested for.
const MaxTasks = 64

// Level is what a method reads.
type Level uint8

const (
	// Losses: only the task losses, before the backward pass.
	Losses Level = iota
	// Gram: the inner products of the task gradients, and the losses.
	Gram
	// TaskGradients: every coordinate of every task gradient, by a column kernel.
	TaskGradients
)

// String returns the word used in lists.
func (l Level) String() string { return [...]string{"losses", "gram", "task-gradients"}[l] }

// Needs is what a method asks of the engine. Zero values of all fields but Level mean "nothing special".
type Needs struct {
	Level Level
	// Batches is the number of independent batches per step, 1..3. With 2 or more, Input.Cross is J1 J2^T; the weights apply to
	// the task gradients of the last batch.
	Batches int
	// AfterStep asks for the losses of the same batch after the parameters moved (one extra forward pass).
	AfterStep bool
	// Constant says that the weights depend on nothing but the number of tasks: no losses are needed for them.
	Constant bool
	// Blind says that the weights depend on no losses, though on the step: Weights need not see them.
	Blind bool
	// Track asks for tracked task gradients Y [m,P]: the engine keeps them between steps and saves them. The method is a Tracker; Weights then sees
	// Gram = Y Y^T, and the weights apply to Y.
	Track bool
	// Squares asks for Input.Excess: the engine keeps the running sums of squared task gradients [m,P] and saves them.
	Squares bool
	// LastLayer asks for a Gram matrix over the last layer of the unit alone; the weights apply to the whole unit.
	LastLayer bool
	// Saliency asks for the regularisers of task gradients at an activation, or is nil. The engine adds their gradient to the step's.
	Saliency *Saliency
	// Own is the number of scalars the method learns by itself; they live in State and not among the model's parameters.
	Own int
}

// Input is what a method reads for one unit of one step. Slices belong to the caller and are not kept.
type Input struct {
	Step   int64
	Unit   int       // 0..units-1; always 0 at level Losses
	Tasks  []int     // [m] ids of the present tasks, ascending
	Losses []float64 // [m] mean loss of each present task over the batch
	Gram   []float64 // [m*m] row-major J J^T of the first batch; nil at level Losses
	Cross  []float64 // [m*m] row-major J1 J2^T; nil unless Needs.Batches >= 2
	Excess []float64 // [m] sum over p of g_t[p]^2 / sqrt(S_t[p] + 1e-7), S_t the sum of squares up to this step; nil unless Needs.Squares
	// RNG is keyed by (seed, step, unit). A method draws from RNG.Sub(purpose, task id), so that what a task draws does not
	// depend on which other tasks are present.
	RNG rng.Stream
}

// Method is one rule, built for a number of tasks and units.
type Method interface {
	// Needs returns the same value for the whole life of the method.
	Needs() Needs
	// Weights writes w [m] so that the update of the unit is sum_t w[t] * (gradient of task Tasks[t]). It is called exactly once
	// per unit and step, with 1 <= m <= tasks and finite numbers; it advances state only when it returns nil; it does not
	// allocate. Methods of level TaskGradients return an error. At level Losses it may run on a thread of a device's driver, one call at a time.
	Weights(in *Input, w []float64) error
}

// Columner is implemented by methods of level TaskGradients.
type Columner interface {
	// Columns fills c with the column kernel of the unit and its parameters. c.Leak has length m on entry.
	Columns(in *Input, c *Column) error
}

// Tracker is implemented by methods with Needs.Track.
type Tracker interface {
	// Track writes keep and take [m]: the tracked gradient of a task becomes keep*Y + take*g. It is called once per unit and step, before
	// Weights, with Gram = J J^T of the gradients g as they are.
	Track(in *Input, keep, take []float64) error
}

// AfterStepper is implemented by methods with Needs.AfterStep.
type AfterStepper interface {
	// AfterStep receives the losses [m] of the batch of the last Weights call, for the same tasks, after the update.
	AfterStep(tasks []int, losses []float64) error
}

// Stateful is implemented by methods that remember something between steps.
type Stateful interface {
	// State returns the same arrays, in the same order and of the same length, for the whole life of the method. They are the
	// state itself: reading them saves it, writing them restores it.
	State() []Array
}

// Array is one named piece of state. Counters are stored as whole float64 numbers.
type Array struct {
	Name string
	Data []float64
}

// ColumnKernel names a kernel that makes g from J coordinate by coordinate.
type ColumnKernel uint8

const (
	// NoColumns: not set.
	NoColumns ColumnKernel = iota
	// GradDropColumns is kernels.GradDrop with Leak, Key and Hi.
	GradDropColumns
	// TrimmedMeanColumns is kernels.TrimmedMean with Trim.
	TrimmedMeanColumns
)

// Column is a column kernel and its parameters.
type Column struct {
	Kernel  ColumnKernel
	Leak    []float64 // [m] share of every task gradient that always passes
	Key, Hi uint64    // of the random numbers; see kernels.GradDrop
	Trim    int       // values cut at each end; see kernels.TrimmedMean
}

// Saliency is the weights and constants of the regularisers of Rep-MTL; see kernels.Saliency. Step is the size of the shifts whose differences give second derivatives, relative to
// the activation.
type Saliency struct {
	Entropy, Align, Temperature, Floor, Step float64
	Window                                   int
}
