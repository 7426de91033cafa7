package emu

import (
	"math"

	"artel/kernels/cuda/emu/ptx"
)

// unary is abs, neg, not and cnot.
func unary(d *decoder) {
	if !d.count(2) {
		return
	}
	if d.has("pred") {
		notPredicate(d)
		return
	}
	t := d.typ()
	d.allow("ftz")
	d.out.d, d.out.a = d.dst(0, t), d.src(1, t)
	op := d.in.Op
	switch {
	case op == "not":
		d.emit(Integer, bySize(t.Size(), lift1(func(a uint16) uint16 { return ^a }), lift1(func(a uint32) uint32 { return ^a }), lift1(func(a uint64) uint64 { return ^a })))
	case op == "cnot":
		d.emit(Integer, bySize(t.Size(), lift1(isZero[uint16]), lift1(isZero[uint32]), lift1(isZero[uint64])))
	case t.Float():
		d.emit(floatClass(t), floatSign(t, op == "abs", d.has("ftz")))
	case op == "neg":
		d.emit(Integer, bySize(t.Size(), lift1(func(a uint16) uint16 { return -a }), lift1(func(a uint32) uint32 { return -a }), lift1(func(a uint64) uint64 { return -a })))
	default:
		d.emit(Integer, bySize(t.Size(), lift1(absolute[int16]), lift1(absolute[int32]), lift1(absolute[int64])))
	}
}

func isZero[T integer](a T) T {
	if a == 0 {
		return 1
	}
	return 0
}

func absolute[T integer](a T) T {
	if a < 0 {
		return -a
	}
	return a
}

func floatClass(t ptx.Type) Class {
	switch t {
	case ptx.F32:
		return Float32
	case ptx.F64:
		return Float64
	}
	return Half
}

// floatSign clears or flips the sign bits.
func floatSign(t ptx.Type, abs, ftz bool) handler {
	var sign uint64
	switch t {
	case ptx.F16, ptx.BF16:
		sign = 1 << 15
	case ptx.F16x2, ptx.BF16x2:
		sign = 1<<31 | 1<<15
	case ptx.F32:
		sign = 1 << 31
		if ftz {
			return lift1(func(a float32) float32 {
				if abs {
					return flush(float32(math.Abs(float64(a))), true)
				}
				return flush(-a, true)
			})
		}
	case ptx.F64:
		sign = 1 << 63
	}
	return bySize(t.Size(), lift1(signer[uint16](sign, abs)), lift1(signer[uint32](sign, abs)), lift1(signer[uint64](sign, abs)))
}

func signer[T uint16 | uint32 | uint64](sign uint64, abs bool) func(T) T {
	s := T(sign)
	if abs {
		return func(a T) T { return a &^ s }
	}
	return func(a T) T { return a ^ s }
}

// copySign is copysign d, a, b: b with the sign of a.
func copySign(d *decoder) {
	t := d.typ()
	if !d.count(3) {
		return
	}
	d.allow()
	d.out.d, d.out.a, d.out.b = d.dst(0, t), d.src(1, t), d.src(2, t)
	d.emit(floatClass(t), bySize(t.Size(), nil,
		lift2(func(a, b uint32) uint32 { return b&^(1<<31) | a&(1<<31) }),
		lift2(func(a, b uint64) uint64 { return b&^(1<<63) | a&(1<<63) })))
}

// extremum is min and max. A NaN loses against a number unless .NaN is there, and -0 is below +0.
func extremum(d *decoder) {
	if d.has("s16x2") || d.has("u16x2") {
		packedIntegers(d)
		return
	}
	t := d.typ()
	if t.Float() && t.Size() <= 4 && t != ptx.F32 {
		halfArithmetic(d, t)
		return
	}
	lo := d.in.Op == "min"
	if n := len(d.in.Args); n != 3 {
		d.fail("%d operands, want 3", n)
		return
	}
	d.out.d, d.out.a, d.out.b = d.dst(0, t), d.src(1, t), d.src(2, t)
	switch t {
	case ptx.F32:
		d.allow("ftz", "NaN")
		f := floatExtremum[float32](lo, d.has("NaN"))
		d.emit(Float32, lift2(f))
		d.flush2(f)
	case ptx.F64:
		d.allow()
		d.emit(Float64, lift2(floatExtremum[float64](lo, false)))
	default:
		d.allow()
		if t.Signed() {
			d.emit(Integer, bySize(t.Size(), lift2(integerExtremum[int16](lo)), lift2(integerExtremum[int32](lo)), lift2(integerExtremum[int64](lo))))
		} else {
			d.emit(Integer, bySize(t.Size(), lift2(integerExtremum[uint16](lo)), lift2(integerExtremum[uint32](lo)), lift2(integerExtremum[uint64](lo))))
		}
	}
}

func integerExtremum[T integer](lo bool) func(a, b T) T {
	if lo {
		return func(a, b T) T { return min(a, b) }
	}
	return func(a, b T) T { return max(a, b) }
}

func floatExtremum[T floating](lo, nan bool) func(a, b T) T {
	return func(a, b T) T {
		switch {
		case a > b:
			if lo {
				return b
			}
			return a
		case a < b:
			if lo {
				return a
			}
			return b
		case a != a:
			if nan {
				return a
			}
			return b
		case b != b:
			if nan {
				return b
			}
			return a
		}
		// Equal: only zeros differ, in their sign, which Go's min and max respect.
		if lo {
			return min(a, b)
		}
		return max(a, b)
	}
}
