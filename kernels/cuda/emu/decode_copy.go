package emu

import (
	"math/bits"
	"unsafe"

	"artel/kernels/cuda/emu/ptx"
)

// copyAsync is cp.async and all that begins with it.
func copyAsync(d *decoder) {
	switch {
	case d.has("bulk"):
		bulkCopy(d)
	case d.has("mbarrier"):
		d.arriveCopies()
	case d.has("commit_group"):
		d.allow("async", "commit_group")
		d.emit(Async, func(w *warp, _ *inst) {
			for m := w.exec; m != 0; m &= m - 1 {
				w.async.committed[bits.TrailingZeros32(m)]++
			}
		})
	case d.has("wait_group"):
		d.allow("async", "wait_group")
		n := uint32(d.immediate(0))
		d.emit(Barrier, func(w *warp, _ *inst) { w.waitGroups(n) })
	case d.has("wait_all"):
		d.allow("async", "wait_all")
		d.emit(Barrier, func(w *warp, _ *inst) { w.deliver(w.exec, func(*smallCopy, int) bool { return true }) })
	default:
		smallAsync(d)
	}
}

// smallAsync is cp.async of 4, 8 or 16 bytes.
func smallAsync(d *decoder) {
	d.dropHint()
	if n := len(d.in.Args); n < 3 || n > 4 {
		d.fail("%d operands, want 3 or 4", n)
		return
	}
	d.allowMemory("async")
	n := int(d.immediate(2))
	if n != 4 && n != 8 && n != 16 {
		d.fail("copies of %d bytes, want 4, 8 or 16", n)
		return
	}
	if d.arg(0).Kind != ptx.KMem || d.arg(1).Kind != ptx.KMem {
		d.fail("addresses in brackets are wanted")
		return
	}
	size := int32(-1)
	if len(d.in.Args) > 3 {
		if o := d.arg(3); o.Kind == ptx.KReg && d.k.Regs[o.Reg].Type == ptx.Pred {
			d.fail("an ignore-src predicate is not supported, a size is")
			return
		}
		size = d.src(3, ptx.U32)
	}
	to, from := d.out, d.out
	to.mem, from.mem = d.addressed(d.arg(0), ptx.Shared, n), d.addressed(d.arg(1), ptx.Global, n)
	to.mem.write, from.mem.read = true, true
	d.emit(Async, func(w *warp, in *inst) { w.copySmall(&to, &from, n, size) })
}

// copySmall checks a cp.async and queues it.
func (w *warp) copySmall(to, from *inst, n int, size int32) {
	all := w.exec
	if !w.resolve(to) {
		return
	}
	c := w.issue(n)
	for m := all; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		c.dst[l], c.size[l] = uint32(w.addrs[l]), uint8(n)
		if size >= 0 {
			c.size[l] = uint8(min(reg[uint32](w, size)[l], uint32(n)))
		}
	}
	for m := all; m != 0; m &= m - 1 {
		w.fly(uint64(c.dst[bits.TrailingZeros32(m)]), uint64(n))
	}
	var full uint32
	for m := all; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		full |= bit(int(c.size[l]) == n) << l
	}
	if w.exec = full; full != 0 && !w.resolve(from) {
		return
	}
	c.src = w.ptrs
	for m := all &^ full; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		if c.size[l] > 0 && !w.partial(from, c, l) {
			return
		}
	}
	w.exec = all
}

// partial resolves the source of a lane that reads fewer bytes than it writes.
func (w *warp) partial(from *inst, c *smallCopy, l int) bool {
	short, m := *from, *from.mem
	short.mem, m.bytes = &m, 1
	w.addresses(&m)
	if w.addrs[l]&uint64(c.n-1) != 0 {
		w.fault(Misaligned, from, l, w.addrs[l], "an access of %d bytes", c.n)
		return false
	}
	w.exec = 1 << l
	var first unsafe.Pointer
	for i := range uint64(c.size[l]) {
		m.off = from.mem.off + i
		if !w.resolve(&short) {
			return false
		}
		if i == 0 {
			first = w.ptrs[l]
		}
	}
	c.src[l] = first
	return true
}
