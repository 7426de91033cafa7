package autograd

import (
	"fmt"
	"strings"

	"artel/dtype"
	"artel/internal/nvtx"
	"artel/kernels"
	"artel/param"
	"artel/tensor"
)

// Mode is what a tape is recorded for.
type Mode uint8

// The modes.
const (
	Eval    Mode = iota // no backward pass; dropout and noise are off
	Plain               // gradient of the sum of the losses
	PerTask             // one gradient per task
)

// Tape records a forward pass. It is not safe for concurrent use.
type Tape struct {
	mode    Mode
	tasks   int
	auxTask bool
	be      *kernels.Backend
	arena   *tensor.Arena
	tables  [2]*tensor.Arena // memory that the host reaches too; two take turns where ops may still read the last recording's
	turn    int
	tickets [2]uint64 // of what may read the tables
	sink    *param.Sink
	seeds   []float64
	by      tensor.Tensor // further factors, or none
	share   float64

	tap      tapState
	combine  Combiner
	spread   bool          // task-owned rows from the tap on
	shift    tensor.Tensor // [C,D] that the tap adds, or none
	alpha    float64       // its factor
	runs     []TapRun      // of the last tap; reused
	runTasks []int

	start    tensor.Mark                // of the arena before the last backward pass
	announce func(*param.Param, uint64) // passes a use of a parameter on to the sink

	nodes         []node
	vars          slab[Var]
	spaces        slab[Space]
	blocks        []Block // memory of the spaces' blocks
	scratchBlocks []Block
	plans         slab[kernels.Plan]
	losses        slab[Loss]
	lossRooms     []tensor.Tensor // F64 [lossRoom] each: their values
	pools         map[any]resetter
	bad           Var
	err           error

	scope  []string
	ranges map[string]*nvtx.Name // of parts of the model, for profilers
}

// node is one record with what analysis needs to know of it.
type node struct {
	op    Op
	name  string
	scope string
	out   *Var
	in    [4]*Var
}

// NewTape returns an empty tape for the given number of tasks.
func NewTape(be *kernels.Backend, tasks int) *Tape {
	t := &Tape{be: be, tasks: tasks, arena: tensor.NewArena(be.Alloc), tables: [2]*tensor.Arena{tensor.NewArena(be.AllocShared), tensor.NewArena(be.AllocShared)}, pools: map[any]resetter{}, ranges: map[string]*nvtx.Name{}, mode: Eval}
	t.bad.made = -1
	return t
}

// Begin forgets the last recording and starts a new one. With auxTask (per-task mode only) auxiliary losses get a task of
// their own, number Tasks().
func (t *Tape) Begin(mode Mode, auxTask bool) {
	t.mode, t.auxTask = mode, auxTask && mode == PerTask
	clear(t.nodes)
	t.nodes = t.nodes[:0]
	t.vars.reset()
	t.losses.reset()
	t.lossRooms = t.lossRooms[:0]
	t.spaces.reset()
	t.blocks = t.blocks[:0]
	t.plans.reset()
	for _, p := range t.pools {
		p.reset()
	}
	t.arena.Reset()
	t.err = nil
	if t.be.Apart {
		t.tickets[t.turn] = t.be.Submit()
		t.turn = 1 - t.turn
		t.err = t.be.Wait(t.tickets[t.turn])
	}
	t.tables[t.turn].Reset()
	t.scope = t.scope[:0]
	t.sink, t.by = nil, tensor.Tensor{}
	t.share = 1
	t.tap, t.combine, t.spread, t.shift = noTap, nil, false, tensor.Tensor{}
}

// Mode returns the mode of the recording.
func (t *Tape) Mode() Mode { return t.mode }

// Training reports whether a backward pass may follow: dropout and noise are on.
func (t *Tape) Training() bool { return t.mode != Eval }

// Tasks returns the number of tasks, the auxiliary one not counted.
func (t *Tape) Tasks() int { return t.tasks }

// AuxTask reports whether auxiliary losses have a task gradient of their own.
func (t *Tape) AuxTask() bool { return t.auxTask }

// SetRowShare says which share of the rows of a step this recording holds, when a step accumulates several; Begin sets 1.
func (t *Tape) SetRowShare(share float64) { t.share = share }

// RowShare returns the share of the step's rows: auxiliary losses, means over rows, are scaled by it.
func (t *Tape) RowShare() float64 { return t.share }

// Backend returns the kernels that the tape computes with.
func (t *Tape) Backend() *kernels.Backend { return t.be }

// Arena returns the memory of the recording.
func (t *Tape) Arena() *tensor.Arena { return t.arena }

// New returns a float tensor with undefined contents that lives as long as the recording.
func (t *Tape) New(shape ...int) tensor.Tensor { return t.arena.New(t.be.Float, shape...) }

// NewOperand is New for a tensor that is written once and then only an operand of products: bfloat16 where the backend reads such, since products would round
// it to the same numbers anyway.
func (t *Tape) NewOperand(shape ...int) tensor.Tensor {
	if t.be.Halves {
		return t.arena.New(dtype.BF16, shape...)
	}
	return t.New(shape...)
}

// NewShared returns a tensor with undefined contents that the host writes or reads itself, see kernels.Backend.AllocShared. It lives as long as the recording,
// also when it was made in a backward pass. Its memory is used again two recordings later, when Begin has waited for what may read it.
func (t *Tape) NewShared(d dtype.Type, shape ...int) tensor.Tensor {
	return t.tables[t.turn].New(d, shape...)
}

// Sync waits until all ops have finished, before the host reads what they wrote. An error of the device becomes the tape's.
func (t *Tape) Sync() {
	if err := t.be.Sync(); err != nil && t.err == nil {
		t.err = err
	}
}

// reached returns an I32 tensor that ops wrote where the host reaches it, once they have finished.
func (t *Tape) reached(x tensor.Tensor) tensor.Tensor {
	if !t.be.Apart {
		return x
	}
	h := t.NewShared(dtype.I32, x.Shape()...)
	t.be.Copy(kernels.Copy{Dst: h, Src: x})
	return h
}

// NewI32 is New for indices that only ops read and write.
func (t *Tape) NewI32(shape ...int) tensor.Tensor { return t.arena.New(dtype.I32, shape...) }

// Err returns the first error since Begin.
func (t *Tape) Err() error { return t.err }

// Failf sets the tape's error, prefixed by the current scope, unless one is set already.
func (t *Tape) Failf(format string, args ...any) {
	if t.err == nil {
		msg := fmt.Sprintf(format, args...)
		if len(t.scope) > 0 {
			msg = t.scope[len(t.scope)-1] + ": " + msg
		}
		t.err = fmt.Errorf("%s", msg)
	}
}

// Push enters a named part of the model, such as "blocks.1.moe"; messages and analysis use the name.
func (t *Tape) Push(name string) {
	t.scope = append(t.scope, name)
	if nvtx.Active() {
		nvtx.Push(t.named(name))
	}
}

// named is the range of a part of the model.
func (t *Tape) named(part string) *nvtx.Name {
	n := t.ranges[part]
	if n == nil {
		n = nvtx.New(part)
		t.ranges[part] = n
	}
	return n
}

// Pop leaves the part entered last.
func (t *Tape) Pop() {
	t.scope = t.scope[:len(t.scope)-1]
	nvtx.Pop()
}

// NewVar returns a Var without gradient: an input, or the output of an op before Record.
func (t *Tape) NewVar(value tensor.Tensor, s *Space) *Var {
	v := t.vars.next()
	v.Value, v.Space, v.made, v.lastUse = value, s, -1, -1
	return v
}

// Input puts a tensor on the tape. Gradients do not flow into it.
func (t *Tape) Input(value tensor.Tensor, s *Space) *Var {
	if t.err == nil && (value.Rank() != 2 || value.Dim(0) != s.N) {
		t.Failf("input: got %v, want a matrix of %d rows", value, s.N)
	}
	return t.NewVar(value, s)
}

// Bad is what ops return after an error.
func (t *Tape) Bad() *Var { return &t.bad }

// Record appends an op. leaf says that the op has parameters of its own; in lists the Vars it reads.
func (t *Tape) Record(name string, op Op, out *Var, leaf bool, in ...*Var) *Var {
	n := len(t.nodes)
	nd := node{op: op, name: name, out: out}
	if len(t.scope) > 0 {
		nd.scope = t.scope[len(t.scope)-1]
	}
	out.needs = leaf
	out.made = n
	if copy(nd.in[:], in) < len(in) {
		t.Failf("%s: more than %d inputs", name, len(nd.in))
	}
	for _, v := range in {
		out.needs = out.needs || v.needs
		v.lastUse = n
		if v.parent != nil {
			v.parent.lastUse = n
		}
	}
	if t.mode == Eval {
		return out
	}
	t.nodes = append(t.nodes, nd)
	return out
}

// Trace describes the recording, one op a line: for error reports and tests.
func (t *Tape) Trace() string {
	var b strings.Builder
	for i, n := range t.nodes {
		fmt.Fprintf(&b, "%3d %s %s -> %v\n", i, n.scope, n.name, n.out.Value)
	}
	return b.String()
}
