package emu

import (
	"math/bits"
	"slices"

	"artel/kernels/cuda/emu/ptx"
)

// stackBytes is the local memory of a thread whose depth of calls cannot be known: recursion and calls by address.
const stackBytes = 16 << 10

// firstAddress is where the addresses of functions begin, codeStep apart: numbers that no memory has.
const (
	firstAddress = 0x1000
	codeStep     = 16
)

// slot is an argument or a result in a frame of local memory.
type slot struct{ off, size uint64 }

// callee is a device function as a kernel calls it.
type callee struct {
	asm              *ptx.Func
	entry            int32 // its first instruction
	low, high        int32 // its registers
	frame            uint64
	formals, results []slot
	locals           []localAddress
	number           int
	system           func(w *warp, in *inst, s *callSite) // of the runtime's functions, which have no code
}

// localAddress is a register that holds the address of a variable of the frame.
type localAddress struct {
	at  int32
	n   int
	off uint64
}

// frame is a call that has not returned.
type frame struct {
	to                 *callee
	pc, join           int32
	active, here, exec uint32
	floor              int    // of the stack
	base               uint64 // of the caller's frame
	results            []slot
	saved              []byte // the function's registers, when it was under way already
}

// callSite is a decoded call.
type callSite struct {
	frame         uint64 // bytes of the caller's frame
	args, results []slot
	to            *callee            // nil for a call by address
	known         map[uint64]*callee // by address
	target        int32
}

// call starts a function for the lanes of exec.
func (w *warp) call(in *inst, s *callSite) {
	to := s.to
	if to == nil {
		if to = w.chooseTarget(in, s); to == nil {
			return
		}
		if !s.fits(to) {
			w.fault(BadOperand, in, w.lane(), 0, "the arguments or the result are not those of %s", to.asm.Name)
			return
		}
	}
	if to.system != nil {
		to.system(w, in, s)
		return
	}
	base := w.base + s.frame
	if base+to.frame > uint64(w.blk.fn.localSize) {
		w.fault(StackOverflow, in, w.lane(), 0, "calls %d deep take more than %d bytes of local memory", len(w.frames)+1, w.blk.fn.localSize)
		return
	}
	f := frame{to: to, pc: w.pc, join: w.join, active: w.active, here: w.here, exec: w.exec, floor: w.floor, base: w.base, results: s.results}
	if w.under[to.number]++; w.under[to.number] > 1 {
		f.saved = append([]byte(nil), w.registers(to)...)
	}
	w.moveSlots(s.args, w.base, to.formals, base)
	w.frames = append(w.frames, f)
	w.base, w.floor, w.pc, w.join = base, len(w.stack), to.entry, -1
	w.active, w.here = w.exec, w.exec
	w.setLocals(to)
}

// setLocals fills the registers that hold addresses of the frame.
func (w *warp) setLocals(to *callee) {
	for _, l := range to.locals {
		if l.n == 4 {
			fillLanes(reg[uint32](w, l.at), uint32(w.base+l.off))
		} else {
			fillLanes(reg[uint64](w, l.at), w.base+l.off)
		}
	}
}

// fits reports whether the arguments and the result have the sizes that a function wants.
func (s *callSite) fits(to *callee) bool {
	same := func(a, b []slot) bool {
		return slices.EqualFunc(a, b, func(x, y slot) bool { return x.size == y.size })
	}
	return same(s.args, to.formals) && (len(s.results) == 0 || same(s.results, to.results))
}

// chooseTarget finds the function that a register names. Lanes that name another one wait and make the call after this one has returned.
func (w *warp) chooseTarget(in *inst, s *callSite) *callee {
	addr := reg[uint64](w, s.target)
	first := addr[w.lane()]
	var group uint32
	for m := w.exec; m != 0; m &= m - 1 {
		if l := bits.TrailingZeros32(m); addr[l] == first {
			group |= 1 << l
		}
	}
	if rest := w.exec &^ group; rest != 0 {
		after := w.pc
		if w.join != after {
			w.stack = append(w.stack, split{after, w.join, w.active})
		}
		w.stack = append(w.stack, split{after - 1, after, rest})
		w.prof[after-1].threads -= uint64(bits.OnesCount32(rest))
		w.active, w.exec, w.join = group, group, after
	}
	to := s.known[first]
	if to == nil {
		w.fault(BadOperand, in, w.lane(), first, "this is not the address of a function")
	}
	return to
}

// registers is the part of the register file that a function writes.
func (w *warp) registers(to *callee) []byte {
	return bytesOf(w.words)[to.low:to.high]
}

// moveSlots copies values between frames, for the lanes of exec.
func (w *warp) moveSlots(from []slot, fromBase uint64, to []slot, toBase uint64) {
	size := uint64(w.blk.fn.localSize)
	for i := range from {
		for m := w.exec; m != 0; m &= m - 1 {
			lane := uint64(bits.TrailingZeros32(m)) * size
			copy(w.local[lane+toBase+to[i].off:][:to[i].size], w.local[lane+fromBase+from[i].off:])
		}
	}
}

// giveBack ends the lanes' part in a function.
func (w *warp) giveBack() {
	w.here &^= w.exec
	w.active &^= w.exec
	if w.active == 0 {
		w.pop()
	}
}

// unwind goes back to the caller when no lane is left in the function.
func (w *warp) unwind() {
	f := w.frames[len(w.frames)-1]
	w.frames = w.frames[:len(w.frames)-1]
	if len(f.results) > 0 {
		w.exec = f.exec & w.live
		w.moveSlots(f.to.results, w.base, f.results, f.base)
	}
	if w.under[f.to.number]--; f.saved != nil {
		copy(w.registers(f.to), f.saved)
	}
	w.base, w.floor, w.pc, w.join = f.base, f.floor, f.pc, f.join
	w.active, w.here = f.active&w.live, f.here&w.live
}
