package emu

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unsafe"

	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/emu/ptx"
)

// bulkReduction is what cp.reduce.async.bulk does to every element of its destination; without update it is a copy.
type bulkReduction struct {
	update func(old, b, c uint64) uint64
	size   int // bytes of an element
}

// reduction returns the operation of cp.reduce, "" for copies.
func (d *decoder) reduction() string {
	if !d.has("reduce") {
		return ""
	}
	for _, op := range atomicOps {
		if op != "cas" && op != "exch" && d.has(op) {
			return op
		}
	}
	d.fail("this operation is not supported")
	return ""
}

// bulkReduction is the operation and the type of a cp.reduce without a tensor map.
func (d *decoder) bulkReduction() (r bulkReduction) {
	op := d.reduction()
	if op == "" {
		return r
	}
	t := d.typ()
	if r.size = t.Size(); reducible(op, t) {
		r.update = atomicUpdate(op, t)
	}
	if r.update == nil {
		d.fail("this form is not supported")
	}
	return r
}

// reducible reports whether cp.reduce has an operation for a type.
func reducible(op string, t ptx.Type) bool {
	switch op {
	case "and", "or", "xor":
		return t == ptx.B32 || t == ptx.B64
	case "inc", "dec":
		return t == ptx.U32
	case "add":
		return slices.Contains([]ptx.Type{ptx.U32, ptx.S32, ptx.U64, ptx.S64, ptx.F16, ptx.BF16, ptx.F32, ptx.F64}, t)
	}
	return slices.Contains([]ptx.Type{ptx.U32, ptx.S32, ptx.U64, ptx.S64, ptx.F16, ptx.BF16}, t)
}

// store puts the elements of src into dst, or adds them to it. Other blocks may do so at the same time.
func (r *bulkReduction) store(dst, src []byte) {
	if r.update == nil {
		copy(dst, src)
		return
	}
	var word [8]byte
	for i := 0; i < len(dst); i += r.size {
		word = [8]byte{}
		copy(word[:], src[i:i+r.size])
		updateAt(unsafe.Pointer(&dst[i]), r.size, binary.LittleEndian.Uint64(word[:]), 0, r.update)
	}
}

// reduces prepares a box whose elements are added to those of the tensor: the map says of which type they are.
func (b *boxCopy) reduces(op string) bool {
	t := map[driver.Element]ptx.Type{driver.U32: ptx.U32, driver.I32: ptx.S32, driver.U64: ptx.U64, driver.I64: ptx.S64, driver.F16: ptx.F16, driver.BF16: ptx.BF16, driver.F32: ptx.F32, driver.F64: ptx.F64}[b.tensor.Type]
	if op == "and" || op == "or" || op == "xor" {
		t = map[int]ptx.Type{4: ptx.B32, 8: ptx.B64}[b.tensor.Type.Size()]
	}
	if t == ptx.NoType || !reducible(op, t) {
		b.w.fault(BadOperand, b.in, b.lane, 0, "no .%s for the element type %d of the tensor map", op, b.tensor.Type)
		return false
	}
	b.sum = bulkReduction{atomicUpdate(op, t), t.Size()}
	return true
}

// sharedBulk moves bytes from shared memory to shared memory of the cluster, which has one block here, or adds them to it.
func (d *decoder) sharedBulk() {
	if len(d.in.Args) < 4 {
		d.fail("%d operands, want 4", len(d.in.Args))
		return
	}
	to, from, bar := d.bulkOperand(0, ptx.Shared), d.bulkOperand(1, ptx.Shared), d.bulkOperand(3, ptx.Shared)
	size := d.src(2, ptx.U32)
	r := d.bulkReduction()
	if r.update != nil && (r.size != 4 && !(r.size == 8 && d.has("add")) || d.typ().Float()) {
		d.fail("this form is not supported")
		return
	}
	d.emit(Async, func(w *warp, in *inst) {
		for m := w.exec; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			dst, src, n := to.at(w, l), from.at(w, l), uint64(reg[uint32](w, size)[l])
			if dst%16 != 0 || src%16 != 0 || n%16 != 0 {
				w.fault(Misaligned, in, l, dst, "bulk copy of %d bytes from %#x: all must be multiples of 16", n, src)
				return
			}
			if r.update != nil && !w.asyncShared(in, l, dst, n, false) || !w.asyncShared(in, l, src, n, false) || !w.asyncShared(in, l, dst, n, true) {
				return
			}
			w.addrs[l] = bar.at(w, l)
			b := w.barrierAt(in, l)
			if b == nil {
				return
			}
			w.fly(dst, n)
			shared := w.blk.shared
			b.late = append(b.late, func() {
				r.store(shared[dst:dst+n], shared[src:src+n])
				w.landedBulk(b, dst, n)
			})
		}
	})
}
