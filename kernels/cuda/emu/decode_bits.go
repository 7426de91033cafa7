package emu

import (
	"math"
	"math/bits"

	"artel/kernels/cuda/emu/ptx"
)

// logic is and, or and xor of registers and of predicates.
func logic(d *decoder) {
	if !d.count(3) {
		return
	}
	d.allow()
	t := d.typ()
	if t == ptx.Pred {
		d.logicPredicate()
		return
	}
	d.out.d, d.out.a, d.out.b = d.dst(0, t), d.src(1, t), d.src(2, t)
	switch d.in.Op {
	case "and":
		d.emit(Integer, bySize(t.Size(), andLanes[uint16], andLanes[uint32], andLanes[uint64]))
	case "or":
		d.emit(Integer, bySize(t.Size(), orLanes[uint16], orLanes[uint32], orLanes[uint64]))
	default:
		d.emit(Integer, bySize(t.Size(), xorLanes[uint16], xorLanes[uint32], xorLanes[uint64]))
	}
}

func (d *decoder) logicPredicate() {
	a, fa := d.predSrc(d.arg(1))
	b, fb := d.predSrc(d.arg(2))
	d.out.d = d.predDst(d.arg(0))
	op := d.in.Op
	d.emit(Compare, func(w *warp, in *inst) {
		x, y := *pred(w, a)^fa, *pred(w, b)^fb
		switch op {
		case "and":
			x &= y
		case "or":
			x |= y
		default:
			x ^= y
		}
		setPred(w, in.d, x)
	})
}

func notPredicate(d *decoder) {
	a, flip := d.predSrc(d.arg(1))
	d.out.d = d.predDst(d.arg(0))
	if d.in.Op != "not" {
		d.fail("predicates are not numbers")
	}
	d.emit(Compare, func(w *warp, in *inst) { setPred(w, in.d, ^(*pred(w, a) ^ flip)) })
}

// shift is shl and shr.
func shift(d *decoder) {
	if !d.count(3) {
		return
	}
	d.allow()
	t := d.typ()
	d.out.d, d.out.a, d.out.b = d.dst(0, t), d.src(1, t), d.src(2, ptx.U32)
	switch {
	case d.in.Op == "shl":
		d.emit(Integer, bySize(t.Size(), shlLanes[uint16], shlLanes[uint32], shlLanes[uint64]))
	case t.Signed():
		d.emit(Integer, bySize(t.Size(), shrLanes[int16], shrLanes[int32], shrLanes[int64]))
	default:
		d.emit(Integer, bySize(t.Size(), shrLanes[uint16], shrLanes[uint32], shrLanes[uint64]))
	}
}

// funnel is shf: the high or low word of b:a shifted.
func funnel(d *decoder) {
	if !d.count(4) {
		return
	}
	d.allow("l", "r", "clamp", "wrap")
	d.out.d, d.out.a, d.out.b, d.out.c = d.dst(0, ptx.B32), d.src(1, ptx.B32), d.src(2, ptx.B32), d.src(3, ptx.U32)
	left, wrap := d.has("l"), d.has("wrap")
	d.emit(Integer, lift3(func(a, b, c uint32) uint32 {
		if wrap {
			c &= 31
		}
		c = min(c, 32)
		v := uint64(b)<<32 | uint64(a)
		if left {
			return uint32(v << c >> 32)
		}
		return uint32(v >> c)
	}))
}

// lop3 evaluates any function of three bits, given as its table of eight.
func lop3(d *decoder) {
	if !d.count(5) {
		return
	}
	d.allow()
	table := d.immediate(4)
	d.out.d, d.out.a, d.out.b, d.out.c = d.dst(0, ptx.B32), d.src(1, ptx.B32), d.src(2, ptx.B32), d.src(3, ptx.B32)
	d.emit(Integer, lift3(func(a, b, c uint32) uint32 {
		var r uint32
		for i := range uint64(8) {
			if table>>i&1 != 0 {
				r |= pick(a, i&4) & pick(b, i&2) & pick(c, i&1)
			}
		}
		return r
	}))
}

func pick(v uint32, on uint64) uint32 {
	if on != 0 {
		return v
	}
	return ^v
}

// immediate returns an operand that must be a number.
func (d *decoder) immediate(i int) uint64 {
	o := d.arg(i)
	if o.Kind != ptx.KInt {
		d.fail("operand %d must be a number", i+1)
	}
	return o.Bits
}

// permute is prmt: four bytes chosen from the eight of b:a.
func permute(d *decoder) {
	if !d.count(4) {
		return
	}
	d.allow()
	d.out.d, d.out.a, d.out.b, d.out.c = d.dst(0, ptx.B32), d.src(1, ptx.B32), d.src(2, ptx.B32), d.src(3, ptx.B32)
	d.emit(Integer, lift3(func(a, b, c uint32) uint32 {
		v := uint64(b)<<32 | uint64(a)
		var r uint32
		for i := range 4 {
			s := c >> (4 * i)
			x := uint8(v >> (8 * (s & 7)))
			if s&8 != 0 {
				x = uint8(int8(x) >> 7)
			}
			r |= uint32(x) << (8 * i)
		}
		return r
	}))
}

// bitCount is popc, clz and brev.
func bitCount(d *decoder) {
	if !d.count(2) {
		return
	}
	d.allow()
	t := d.typ()
	d.out.a = d.src(1, t)
	if d.in.Op == "brev" {
		d.out.d = d.dst(0, t)
		d.emit(Integer, bySize(t.Size(), nil, lift1(bits.Reverse32), lift1(bits.Reverse64)))
		return
	}
	d.out.d = d.dst(0, ptx.U32)
	if d.in.Op == "popc" {
		d.emit(Integer, bySize(t.Size(), nil, lift1(func(a uint32) uint32 { return uint32(bits.OnesCount32(a)) }), lift1(func(a uint64) uint32 { return uint32(bits.OnesCount64(a)) })))
		return
	}
	d.emit(Integer, bySize(t.Size(), nil, lift1(func(a uint32) uint32 { return uint32(bits.LeadingZeros32(a)) }), lift1(func(a uint64) uint32 { return uint32(bits.LeadingZeros64(a)) })))
}

// bitFind is bfind: the place of the highest bit that differs from the sign, all ones when there is none.
func bitFind(d *decoder) {
	if !d.count(2) {
		return
	}
	d.allow("shiftamt")
	t := d.typ()
	amount, signed := d.has("shiftamt"), t.Signed()
	d.out.d, d.out.a = d.dst(0, ptx.U32), d.src(1, t)
	find := func(v uint64, width int) uint32 {
		n := bits.Len64(v) - 1
		if n >= 0 && amount {
			n = width - 1 - n
		}
		return uint32(n)
	}
	d.emit(Integer, bySize(t.Size(), nil,
		lift1(func(a uint32) uint32 {
			if signed && int32(a) < 0 {
				a = ^a
			}
			return find(uint64(a), 32)
		}),
		lift1(func(a uint64) uint32 {
			if signed && int64(a) < 0 {
				a = ^a
			}
			return find(a, 64)
		})))
}

// bitExtract is bfe.
func bitExtract(d *decoder) {
	if !d.count(4) {
		return
	}
	d.allow()
	t := d.typ()
	signed, width := t.Signed(), uint32(8*t.Size())
	d.out.d, d.out.a, d.out.b, d.out.c = d.dst(0, t), d.src(1, t), d.src(2, ptx.U32), d.src(3, ptx.U32)
	extract := func(a uint64, pos, n uint32) uint64 {
		pos, n = pos&255, n&255
		if n == 0 {
			return 0
		}
		var sign uint64
		if signed {
			sign = a >> min(pos+n-1, width-1) & 1
		}
		var r uint64
		if pos < width {
			r = a & (1<<width - 1) >> pos
		}
		if left := min(n, width-min(pos, width)); left < 64 {
			r &= 1<<left - 1
			if sign != 0 {
				r |= ^uint64(0) << left
			}
		}
		return r
	}
	d.emit(Integer, bySize(t.Size(), nil,
		lift3(func(a, b, c uint32) uint32 { return uint32(extract(uint64(a), b, c)) }),
		lift3(func(a uint64, b, c uint32) uint64 { return extract(a, b, c) })))
}

// bitInsert is bfi d, a, b, c, n: n bits of a put into b at c.
func bitInsert(d *decoder) {
	if !d.count(5) {
		return
	}
	d.allow()
	t := d.typ()
	d.out.d, d.out.a, d.out.b, d.out.c = d.dst(0, t), d.src(1, t), d.src(2, t), d.src(3, ptx.U32)
	n := d.src(4, ptx.U32)
	insert := func(a, b uint64, pos, n uint32) uint64 {
		pos, n = pos&255, n&255
		mask := ^uint64(0)
		if n < 64 {
			mask = 1<<n - 1
		}
		return b&^(mask<<pos) | (a&mask)<<pos
	}
	d.emit(Integer, bySize(t.Size(), nil,
		func(w *warp, in *inst) {
			dd, a, b, c, n := reg[uint32](w, in.d), reg[uint32](w, in.a), reg[uint32](w, in.b), reg[uint32](w, in.c), reg[uint32](w, n)
			for m := w.exec; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m)
				dd[l] = uint32(insert(uint64(a[l]), uint64(b[l]), c[l], n[l]))
			}
		},
		func(w *warp, in *inst) {
			dd, a, b, c, n := reg[uint64](w, in.d), reg[uint64](w, in.a), reg[uint64](w, in.b), reg[uint32](w, in.c), reg[uint32](w, n)
			for m := w.exec; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m)
				dd[l] = insert(a[l], b[l], c[l], n[l])
			}
		}))
}

// sad is c + |a-b|.
func sad(d *decoder) {
	if !d.count(4) {
		return
	}
	d.allow()
	t := d.typ()
	d.out.d, d.out.a, d.out.b, d.out.c = d.dst(0, t), d.src(1, t), d.src(2, t), d.src(3, t)
	if t.Signed() {
		d.emit(Integer, bySize(t.Size(), lift3(absDiff[int16]), lift3(absDiff[int32]), lift3(absDiff[int64])))
	} else {
		d.emit(Integer, bySize(t.Size(), lift3(absDiff[uint16]), lift3(absDiff[uint32]), lift3(absDiff[uint64])))
	}
}

func absDiff[T integer](a, b, c T) T { return c + max(a, b) - min(a, b) }

// dotProduct is dp4a: c plus four products of bytes.
func dotProduct(d *decoder) {
	if !d.count(4) || len(d.in.Mods) != 2 {
		d.fail("want two types")
		return
	}
	sa, sb := d.word(0) == "s32", d.word(1) == "s32"
	d.allow()
	d.out.d, d.out.a, d.out.b, d.out.c = d.dst(0, ptx.B32), d.src(1, ptx.B32), d.src(2, ptx.B32), d.src(3, ptx.B32)
	d.emit(Integer, lift3(func(a, b, c uint32) uint32 {
		for i := range 4 {
			c += uint32(part(a, i, 8, sa) * part(b, i, 8, sb))
		}
		return c
	}))
}

// testProperty is testp: what kind of number it is.
func testProperty(d *decoder) {
	if !d.count(2) {
		return
	}
	t := d.typ()
	d.allow("finite", "infinite", "number", "notanumber", "normal", "subnormal")
	kind := d.word(0)
	d.out.d, d.out.a = d.predDst(d.arg(0)), d.src(1, t)
	least := math.Ldexp(1, -126)
	if t == ptx.F64 {
		least = math.Ldexp(1, -1022)
	}
	is := func(v float64) bool {
		inf, nan := math.IsInf(v, 0), v != v
		switch kind {
		case "finite":
			return !inf && !nan
		case "infinite":
			return inf
		case "number":
			return !nan
		case "notanumber":
			return nan
		case "normal":
			return !inf && !nan && math.Abs(v) >= least
		}
		return v != 0 && math.Abs(v) < least
	}
	switch t {
	case ptx.F32:
		d.emit(Compare, func(w *warp, in *inst) {
			setPred(w, in.d, where(reg[float32](w, in.a), func(v float32) bool { return is(float64(v)) }))
		})
	case ptx.F64:
		d.emit(Compare, func(w *warp, in *inst) { setPred(w, in.d, where(reg[float64](w, in.a), is)) })
	default:
		d.fail("this type is not supported")
	}
}

// where returns a bit for each lane that f holds for.
func where[T any](a *[lanes]T, f func(T) bool) (m uint32) {
	for l := range a {
		if f(a[l]) {
			m |= 1 << l
		}
	}
	return m
}
