package emu

import (
	"strings"

	"artel/kernels/cuda/emu/ptx"
)

// bitMask is bmsk: b ones from bit a on.
func bitMask(d *decoder) {
	if !d.count(3) {
		return
	}
	d.allow("clamp", "wrap")
	wrap := d.has("wrap")
	d.out.d, d.out.a, d.out.b = d.dst(0, ptx.B32), d.src(1, ptx.B32), d.src(2, ptx.B32)
	d.emit(Integer, lift2(func(a, b uint32) uint32 {
		if wrap {
			a, b = a&31, b&31
		}
		a, b = min(a, 32), min(b, 32)
		return uint32((uint64(1)<<b - 1) << a)
	}))
}

// signExtend is szext: the low b bits of a, extended by sign or zeros.
func signExtend(d *decoder) {
	if !d.count(3) {
		return
	}
	d.allow("clamp", "wrap")
	wrap, signed := d.has("wrap"), d.typ() == ptx.S32
	d.out.d, d.out.a, d.out.b = d.dst(0, ptx.B32), d.src(1, ptx.B32), d.src(2, ptx.B32)
	d.emit(Integer, lift2(func(a, b uint32) uint32 {
		if wrap {
			b &= 31
		}
		if b = min(b, 32); b == 0 {
			return 0
		}
		if v := a << (32 - b); signed {
			return uint32(int32(v) >> (32 - b))
		} else {
			return v >> (32 - b)
		}
	}))
}

// dotProduct2 is dp2a: two 16-bit numbers of a by the low or the high two bytes of b.
func dotProduct2(d *decoder) {
	if !d.count(4) || len(d.in.Mods) != 3 {
		d.fail("want .lo or .hi and two types")
		return
	}
	d.allow("lo", "hi")
	sa, sb, shift := d.word(1) == "s32", d.word(2) == "s32", 0
	if d.has("hi") {
		shift = 16
	}
	d.out.d, d.out.a, d.out.b, d.out.c = d.dst(0, ptx.B32), d.src(1, ptx.B32), d.src(2, ptx.B32), d.src(3, ptx.B32)
	d.emit(Integer, lift3(func(a, b, c uint32) uint32 {
		b >>= shift
		for i := range 2 {
			c += uint32(part(a, i, 16, sa) * part(b, i, 8, sb))
		}
		return c
	}))
}

// part is piece i, of n bits, of a word.
func part(v uint32, i, n int, signed bool) int32 {
	v = v >> (i * n) << (32 - n)
	if signed {
		return int32(v) >> (32 - n)
	}
	return int32(v >> (32 - n))
}

// packedIntegers is add, min and max of two 16-bit integers in a word.
func packedIntegers(d *decoder) {
	if !d.count(3) {
		return
	}
	d.allow("s16x2", "u16x2", "relu")
	signed, relu := d.has("s16x2"), d.has("relu")
	d.out.d, d.out.a, d.out.b = d.dst(0, ptx.B32), d.src(1, ptx.B32), d.src(2, ptx.B32)
	f := pieceFunction(d.in.Op)
	if f == nil {
		d.fail("this form is not supported")
		return
	}
	d.emit(Integer, lift2(func(a, b uint32) (out uint32) {
		for i := range 2 {
			v := f(part(a, i, 16, signed), part(b, i, 16, signed))
			if relu && v < 0 {
				v = 0
			}
			out |= uint32(uint16(v)) << (16 * i)
		}
		return out
	}))
}

func pieceFunction(op string) func(a, b int32) int32 {
	switch op {
	case "add":
		return func(a, b int32) int32 { return a + b }
	case "sub":
		return func(a, b int32) int32 { return a - b }
	case "min":
		return func(a, b int32) int32 { return min(a, b) }
	case "max":
		return func(a, b int32) int32 { return max(a, b) }
	case "avrg":
		return func(a, b int32) int32 { return (a + b + 1) >> 1 }
	case "absdiff":
		return func(a, b int32) int32 { return max(a-b, b-a) }
	}
	return nil
}

// simd is vadd4, vabsdiff2 and the like: pieces of words, or with .add the sum of all results.
func simd(d *decoder) {
	op := d.in.Op[1 : len(d.in.Op)-1]
	pieces := int(d.in.Op[len(d.in.Op)-1] - '0')
	mods := d.in.Mods
	if len(d.in.Args) != 4 || len(mods) < 3 {
		d.fail("want three types and four operands; masks are not supported")
		return
	}
	d.allow("sat", "add")
	n, sat, add := 32/pieces, d.has("sat"), d.has("add")
	signed := func(i int) bool { return strings.HasPrefix(mods[i], "s") }
	sd, sa, sb := signed(0), signed(1), signed(2)
	d.out.d, d.out.a, d.out.b, d.out.c = d.dst(0, ptx.B32), d.src(1, ptx.B32), d.src(2, ptx.B32), d.src(3, ptx.B32)
	f := pieceFunction(op)
	lo, hi := int32(0), int32(1)<<n-1
	if sd {
		lo, hi = -1<<(n-1), 1<<(n-1)-1
	}
	d.emit(Integer, lift3(func(a, b, c uint32) (out uint32) {
		if add {
			out = c
		}
		for i := range pieces {
			v := f(part(a, i, n, sa), part(b, i, n, sb))
			if sat {
				v = min(max(v, lo), hi)
			}
			if add {
				out += uint32(v)
			} else {
				out |= uint32(v) << (32 - n) >> (32 - n) << (i * n)
			}
		}
		return out
	}))
}
