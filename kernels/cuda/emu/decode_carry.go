package emu

import (
	"math/bits"

	"artel/kernels/cuda/emu/ptx"
)

// extended is arithmetic of several words: add, sub and mad with .cc leave a carry or borrow, addc, subc and madc take it.
func extended(d *decoder) {
	t := d.typ()
	op, takes, leaves := d.in.Op[:3], len(d.in.Op) == 4, d.has("cc")
	n := 3
	if op == "mad" {
		n = 4
	}
	if !d.count(n) {
		return
	}
	d.allow("cc", "lo", "hi")
	if t.Float() || t.Size() < 4 {
		d.fail("this form is not supported")
		return
	}
	if d.carry < 0 {
		d.carry = d.room(0)
	}
	carry, size := d.carry, t.Size()
	d.out.d, d.out.a, d.out.b = d.dst(0, t), d.src(1, t), d.src(2, t)
	d.out.c = d.out.b
	if op == "mad" {
		d.out.c = d.src(3, t)
	}
	product := wordProduct(t, d.has("hi"))
	d.emit(Integer, func(w *warp, in *inst) {
		var out uint32
		held := *pred(w, carry)
		for m := w.exec; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			a, b := getLane(w, in.a, l, size), getLane(w, in.b, l, size)
			if op == "mad" {
				a, b = product(a, b), getLane(w, in.c, l, size)
			}
			k := uint64(0)
			if takes {
				k = uint64(held >> l & 1)
			}
			v, over := sumOf(a, b, k, size, op == "sub")
			putLane(w, in.d, l, size, v)
			out |= uint32(over) << l
		}
		if leaves {
			setPred(w, carry, out)
		}
	})
}

// sumOf returns a+b+k or a-b-k in words of size bytes, and the carry or borrow.
func sumOf(a, b, k uint64, size int, sub bool) (v, over uint64) {
	switch {
	case sub && size == 4:
		v = a - b - k
		return v & 0xffffffff, v >> 63
	case sub:
		return bits.Sub64(a, b, k)
	case size == 4:
		v = a + b + k
		return v & 0xffffffff, v >> 32
	}
	return bits.Add64(a, b, k)
}

// wordProduct is the low or the high word of a product.
func wordProduct(t ptx.Type, high bool) func(a, b uint64) uint64 {
	switch {
	case !high:
		return func(a, b uint64) uint64 { return extend(a*b, map[int]ptx.Type{4: ptx.U32, 8: ptx.U64}[t.Size()]) }
	case t == ptx.U32:
		return func(a, b uint64) uint64 { return a * b >> 32 }
	case t == ptx.S32:
		return func(a, b uint64) uint64 { return uint64(uint32(highS32(int32(a), int32(b)))) }
	case t == ptx.S64:
		return func(a, b uint64) uint64 { return uint64(highS64(int64(a), int64(b))) }
	}
	return highU64
}
