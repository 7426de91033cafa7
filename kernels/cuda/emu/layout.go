package emu

import "unsafe"

// The register file of a warp is one piece of memory. A register of n bytes is 32 lanes of n bytes, a predicate is one word with a bit for
// each lane. Instructions name registers by their byte offset, so an operand costs one addition.

// reg returns a register as lanes of T, which has the register's size.
func reg[T any](w *warp, at int32) *[lanes]T { return (*[lanes]T)(unsafe.Add(w.file, at)) }

// pred returns a predicate.
func pred(w *warp, at int32) *uint32 { return (*uint32)(unsafe.Add(w.file, at)) }

// setPred writes the lanes of exec of a predicate; at is -1 for the sink.
func setPred(w *warp, at int32, bits uint32) {
	if at >= 0 {
		p := pred(w, at)
		*p = *p&^w.exec | bits&w.exec
	}
}
