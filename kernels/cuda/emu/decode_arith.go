package emu

import (
	"artel/kernels/cuda/emu/ptx"
)

// arithmetic is add and sub.
func arithmetic(d *decoder) {
	switch {
	case d.has("cc"):
		extended(d)
		return
	case d.has("s16x2") || d.has("u16x2"):
		packedIntegers(d)
		return
	}
	t := d.typ()
	if t.Float() && t.Size() <= 4 && t != ptx.F32 {
		halfArithmetic(d, t)
		return
	}
	if !d.count(3) {
		return
	}
	d.out.d, d.out.a, d.out.b = d.dst(0, t), d.src(1, t), d.src(2, t)
	add := d.in.Op == "add"
	switch {
	case t == ptx.F32:
		d.allow("rn", "rz", "rm", "rp", "ftz", "sat")
		d.emit(Float32, either(add, addLanes[float32], subLanes[float32]))
		d.flush2(either2(add, func(a, b float32) float32 { return a + b }, func(a, b float32) float32 { return a - b }))
		d.direct2(either2(add, func(a, b float64) float64 { return sumToOdd(a, b) }, func(a, b float64) float64 { return sumToOdd(a, -b) }))
	case t == ptx.F64:
		d.allow("rn")
		d.emit(Float64, either(add, addLanes[float64], subLanes[float64]))
	case d.has("sat") && t == ptx.S32:
		d.allow("sat")
		d.emit(Integer, lift2(func(a, b int32) int32 {
			if add {
				return clamp32(int64(a) + int64(b))
			}
			return clamp32(int64(a) - int64(b))
		}))
	default:
		d.allow()
		if add {
			d.emit(Integer, bySize(t.Size(), addLanes[uint16], addLanes[uint32], addLanes[uint64]))
		} else {
			d.emit(Integer, bySize(t.Size(), subLanes[uint16], subLanes[uint32], subLanes[uint64]))
		}
	}
}

func either(first bool, a, b handler) handler {
	if first {
		return a
	}
	return b
}

func either2[T any](first bool, a, b T) T {
	if first {
		return a
	}
	return b
}

func clamp32(v int64) int32 { return int32(min(max(v, -1<<31), 1<<31-1)) }

// flush2 replaces the handler when .ftz or .sat asks for more than plain float32 arithmetic of two operands.
func (d *decoder) flush2(f func(a, b float32) float32) {
	ftz, sat := d.has("ftz"), d.has("sat")
	if ftz || sat {
		d.out.fn = lift2(func(a, b float32) float32 { return finish(f(flush(a, ftz), flush(b, ftz)), ftz, sat) })
	}
}

// direct2 replaces the handler when a rounding mode other than to nearest is asked for; f gives the exact result or one rounded to odd.
func (d *decoder) direct2(f func(a, b float64) float64) {
	mode, ftz, sat := d.rounding("rn"), d.has("ftz"), d.has("sat")
	if mode != "rn" {
		d.out.fn = lift2(func(a, b float32) float32 {
			return finish(direct32(f(float64(flush(a, ftz)), float64(flush(b, ftz))), mode), ftz, sat)
		})
	}
}

// multiply is mul with lo, hi and wide for integers.
func multiply(d *decoder) {
	t := d.typ()
	if t.Float() && t.Size() <= 4 && t != ptx.F32 {
		halfArithmetic(d, t)
		return
	}
	if !d.count(3) {
		return
	}
	d.out.a, d.out.b = d.src(1, t), d.src(2, t)
	if d.has("wide") {
		d.allow("wide")
		d.out.d = d.result(d.arg(0), 2*t.Size())
		d.emit(Integer, wideProduct(t))
		return
	}
	d.out.d = d.dst(0, t)
	switch {
	case t == ptx.F32:
		d.allow("rn", "rz", "rm", "rp", "ftz", "sat")
		d.emit(Float32, mulLanes[float32])
		d.flush2(func(a, b float32) float32 { return a * b })
		d.direct2(func(a, b float64) float64 { return a * b })
	case t == ptx.F64:
		d.allow("rn")
		d.emit(Float64, mulLanes[float64])
	case d.has("hi"):
		d.allow("hi")
		d.emit(Integer, highProduct(t))
	default:
		d.allow("lo")
		d.emit(Integer, bySize(t.Size(), mulLanes[uint16], mulLanes[uint32], mulLanes[uint64]))
	}
}

// multiplyAdd is mad; for floating point it is fma.
func multiplyAdd(d *decoder) {
	if d.has("cc") {
		extended(d)
		return
	}
	t := d.typ()
	if t.Float() {
		fusedMultiplyAdd(d)
		return
	}
	if !d.count(4) {
		return
	}
	d.out.a, d.out.b = d.src(1, t), d.src(2, t)
	if d.has("wide") {
		d.allow("wide")
		n := 2 * t.Size()
		sum := map[int]ptx.Type{4: ptx.B32, 8: ptx.B64}[n]
		d.out.d, d.out.c = d.result(d.arg(0), n), d.src(3, sum)
		d.emit(Integer, wideProductSum(t))
		return
	}
	d.out.d, d.out.c = d.dst(0, t), d.src(3, t)
	if d.has("hi") {
		d.allow("hi")
		d.emit(Integer, highProductSum(t))
		return
	}
	d.allow("lo")
	d.emit(Integer, bySize(t.Size(), madLanes[uint16], madLanes[uint32], madLanes[uint64]))
}
