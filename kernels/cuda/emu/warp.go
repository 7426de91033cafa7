package emu

import (
	"fmt"
	"math/bits"
	"unsafe"
)

// lanes is the number of threads of a warp, every the mask of all of them.
const (
	lanes = 32
	every = ^uint32(0)
)

// state is what a warp is doing.
type state uint8

const (
	running state = iota
	yielding
	waiting // for a barrier or a memory barrier; the block decides when it goes on
	done
	failed
)

// warp is 32 lanes that execute together.
type warp struct {
	file   unsafe.Pointer // registers, see layout.go
	code   []inst
	prof   []profile
	pc     int32
	join   int32
	active uint32 // lanes of the current part
	live   uint32 // lanes that have not ended
	here   uint32 // of these, lanes that are in the current call of a function
	exec   uint32 // lanes of the current instruction
	state  state
	budget int
	stack  []split
	floor  int     // where the current call's part of stack begins
	frames []frame // calls that have not returned
	base   uint64  // of the current call's frame in local memory
	under  []int   // by function: calls that have not returned

	blk   *block
	id    int
	words []uint64 // memory of file
	local []byte   // local memory, lane after lane

	ptrs  [lanes]unsafe.Pointer // of the current access
	addrs [lanes]uint64
	hot   *allocation // that the last access used

	wait waiter
	// clusterArrived is set between the two steps of barrier.cluster.
	clusterArrived bool
	clusterRound   uint64
	async          asyncState
	clock          clockState
	syncs          uint32 // times the lanes were ordered, for the sanitizer
}

// profile counts the executions of one instruction.
type profile struct{ warps, threads uint64 }

// slice is the number of instructions after which a warp lets others run, so that a loop that polls memory cannot starve the warp it waits for.
const slice = 1 << 16

// run executes until the warp waits, yields, ends or fails.
func (w *warp) run() {
	w.state = running
	w.budget = slice
	code, prof := w.code, w.prof
	for {
		pc := w.pc
		if pc == w.join {
			if w.pop(); w.state != running {
				return
			}
			continue
		}
		in := &code[pc]
		exec := w.active
		if in.guard >= 0 {
			p := *(*uint32)(unsafe.Add(w.file, in.guard))
			if in.not {
				p = ^p
			}
			exec &= p
		}
		w.pc, w.exec = pc+1, exec
		p := &prof[pc]
		p.warps++
		p.threads += uint64(bits.OnesCount32(exec))
		if exec != 0 || in.always {
			in.fn(w, in)
			if w.state != running {
				return
			}
		}
		if w.budget--; w.budget == 0 {
			w.state = yielding
			return
		}
	}
}

// again makes the warp execute the current instruction again when it goes on.
func (w *warp) again() {
	w.pc--
	p := &w.prof[w.pc]
	p.warps--
	p.threads -= uint64(bits.OnesCount32(w.exec))
}

// lane returns the lowest lane of exec, 0 when there is none.
func (w *warp) lane() int { return bits.TrailingZeros32(w.exec|1<<31) & 31 }

// fault stops the block.
func (w *warp) fault(kind FaultKind, in *inst, lane int, addr uint64, format string, args ...any) {
	w.state = failed
	b := w.blk
	f := &Fault{Kind: kind, Kernel: b.fn.name, File: b.fn.file, Line: in.asm.Line, Opcode: in.asm.Opcode(), Block: b.at,
		Thread: b.dim.at(w.id*lanes + lane), Address: addr}
	if format != "" {
		f.Detail = fmt.Sprintf(format, args...)
	}
	if b.fault == nil {
		b.fault = f
	}
}

// whole reports whether all live lanes execute the instruction, as warp-wide instructions demand, and fails otherwise.
func (w *warp) whole(in *inst, kind FaultKind) bool {
	if w.exec == w.live {
		return true
	}
	w.fault(kind, in, w.lane(), 0, "lanes %#08x execute it, lanes %#08x are alive", w.exec, w.live)
	return false
}
