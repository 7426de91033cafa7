package emu

import (
	"math"

	"artel/kernels/cuda/emu/ptx"
)

// smallFloat is a floating-point format of eight bits.
type smallFloat struct {
	bits, bias int // of the mantissa; of the exponent
	most       float64
	infinite   bool // it has infinities (e5m2)
}

// smallFloats are the formats by the word of their pairs.
var smallFloats = map[string]smallFloat{"e4m3x2": {3, 7, 448, false}, "e5m2x2": {2, 15, 57344, true}}

// encode rounds to nearest, ties to even, and stops at the largest number; every NaN becomes 0x7f.
func (f smallFloat) encode(x float64) uint8 {
	if x != x {
		return 0x7f
	}
	sign := uint8(0)
	if math.Signbit(x) {
		sign, x = 0x80, -x
	}
	if x == 0 {
		return sign
	}
	if math.IsInf(x, 0) {
		x = f.most
	}
	_, e := math.Frexp(x)
	e = max(e-1, 1-f.bias)
	m := math.RoundToEven(math.Ldexp(x, f.bits-e))
	if math.Ldexp(m, e-f.bits) > f.most {
		return sign | f.encode(f.most)
	}
	// A mantissa that was rounded up to the next power of two carries into the exponent.
	return sign | uint8(int(m)+(e+f.bias-1)<<f.bits)
}

// decode is exact.
func (f smallFloat) decode(v uint8) float64 {
	e, m := int(v&0x7f)>>f.bits, int(v)&(1<<f.bits-1)
	x := math.Ldexp(float64(m), 1-f.bias-f.bits)
	if e > 0 {
		x = math.Ldexp(float64(m+1<<f.bits), e-f.bias-f.bits)
	}
	switch {
	case !f.infinite && v&0x7f == 0x7f, f.infinite && v&0x7f > 0x7c:
		return math.NaN()
	case f.infinite && v&0x7f == 0x7c:
		x = math.Inf(1)
	}
	if v&0x80 != 0 {
		return -x
	}
	return x
}

// smallConversion is cvt between pairs of 8-bit formats and float32 or f16 pairs.
func smallConversion(d *decoder) {
	d.allow("rn", "satfinite", "relu", "e4m3x2", "e5m2x2")
	mods := d.in.Mods
	relu := d.has("relu")
	last := mods[len(mods)-1]
	if f, ok := smallFloats[last]; ok { // to f16x2
		if !d.count(2) || !d.has("f16x2") {
			d.fail("this form is not supported")
			return
		}
		one := func(v uint8) uint32 {
			x := f.decode(v)
			if relu && !(x > 0) && x == x {
				x = 0
			}
			return uint32(floatToHalf(float32(x)))
		}
		d.out.d, d.out.a = d.dst(0, ptx.B32), d.src(1, ptx.B16)
		d.emit(Convert, lift1(func(a uint16) uint32 { return one(uint8(a)) | one(uint8(a>>8))<<16 }))
		return
	}
	f, ok := smallFloats[mods[len(mods)-2]]
	if !ok || !d.has("satfinite") {
		d.fail("this form is not supported")
		return
	}
	pair := func(hi, lo float32) uint16 {
		if relu {
			hi, lo = positive(hi), positive(lo)
		}
		return uint16(f.encode(float64(hi)))<<8 | uint16(f.encode(float64(lo)))
	}
	d.out.d = d.dst(0, ptx.B16)
	switch {
	case last == "f32" && d.count(3):
		d.out.a, d.out.b = d.src(1, ptx.F32), d.src(2, ptx.F32)
		d.emit(Convert, lift2(pair))
	case last == "f16x2" && d.count(2):
		d.out.a = d.src(1, ptx.B32)
		d.emit(Convert, lift1(func(a uint32) uint16 { return pair(halfToFloat(uint16(a>>16)), halfToFloat(uint16(a))) }))
	default:
		d.fail("this form is not supported")
	}
}

// positive is the larger of x and 0, NaN for NaN.
func positive(x float32) float32 {
	if x <= 0 {
		return 0
	}
	return x
}
