package emu

import "artel/kernels/cuda/emu/ptx"

// inst is a decoded instruction: a function and the places of its operands, which are byte offsets into the warp's register file.
type inst struct {
	fn         func(w *warp, in *inst)
	d, a, b, c int32
	guard      int32 // predicate, -1 for none
	not        bool
	always     bool // runs even when the guard leaves no lane
	class      Class
	target     int32 // of a branch
	join       int32 // where a branch's lanes meet again
	imm        uint64
	mem        *access
	list       []int32
	asm        *ptx.Inst
}

// access is the memory side of an instruction.
type access struct {
	space  ptx.Space // NoSpace for generic
	base   int32     // register of addresses, -1 for none
	wide   bool      // the register has 64 bits
	off    uint64
	bytes  uint64 // of one lane, all elements
	write  bool
	read   bool
	atomic bool // both, in one step
	frame  bool // off counts from the function's frame
	wide16 bool // rows of matrices, whose elements belong to other lanes than the address
}
