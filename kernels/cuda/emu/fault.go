package emu

import "fmt"

// FaultKind is the class of a mistake that a kernel made.
type FaultKind uint8

// The kinds of faults.
const (
	OutOfBounds FaultKind = iota
	Misaligned
	UseAfterFree
	Uninitialised
	SharedRace
	GlobalRace // between blocks of one launch
	DivergentBarrier
	Deadlock
	ProxyFence    // generic and async accesses without the fence between them
	MissingWait   // the result of an asynchronous operation is used before it is waited for, or never waited for
	BadMask       // a warp-wide instruction without all lanes it names
	BadOperand    // a value the instruction does not allow
	Trap          // the kernel stopped itself
	EndlessLoop   // more steps than Options.MaxSteps
	ReadOnlyWrite // a store to constant or parameter memory
	StackOverflow // calls of functions too deep
	Assertion     // an assert of the kernel failed
)

var faultNames = [...]string{"out of bounds", "misaligned", "use after free", "uninitialised read", "shared-memory race", "race between blocks", "divergent barrier", "deadlock",
	"missing proxy fence", "missing wait", "lanes missing", "bad operand", "trap", "endless loop", "write to read-only memory", "stack overflow", "assertion failed"}

// String returns the kind in words.
func (k FaultKind) String() string { return faultNames[k] }

// Fault is a mistake that a kernel made, and where.
type Fault struct {
	Kind    FaultKind
	Kernel  string
	File    string // the module's name
	Line    int    // of the PTX
	Opcode  string
	Block   Dim3
	Thread  Dim3
	Address uint64 // 0 when the fault has none
	Detail  string
}

// Error returns one line with everything.
func (f *Fault) Error() string {
	s := fmt.Sprintf("%s:%d: %s: %s in %s, block (%d,%d,%d) thread (%d,%d,%d)", f.File, f.Line, f.Opcode, f.Kind, f.Kernel,
		f.Block.X, f.Block.Y, f.Block.Z, f.Thread.X, f.Thread.Y, f.Thread.Z)
	if f.Address != 0 {
		s += fmt.Sprintf(", address %#x", f.Address)
	}
	if f.Detail != "" {
		s += ": " + f.Detail
	}
	return s
}
