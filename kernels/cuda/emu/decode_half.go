package emu

import (
	"math"

	"artel/kernels/cuda/emu/ptx"
)

// format is a 16-bit floating-point format: how to read and to round to nearest, ties to even.
type format struct {
	load  func(uint16) float32
	store func(float32) uint16
}

var halfFormat, brainFormat = format{halfToFloat, floatToHalf}, format{brainToFloat, floatToBrain}

func formatOf(t ptx.Type) format {
	if t == ptx.BF16 || t == ptx.BF16x2 {
		return brainFormat
	}
	return halfFormat
}

func brainToFloat(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// floatToBrain rounds to nearest even; every NaN becomes 0x7fff.
func floatToBrain(f float32) uint16 {
	u := math.Float32bits(f)
	if f != f {
		return 0x7fff
	}
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}

func halfToFloat(h uint16) float32 {
	sign, e, m := uint32(h>>15)<<31, uint32(h>>10&31), uint32(h&1023)
	switch {
	case e == 31:
		return math.Float32frombits(sign | 0x7f800000 | m<<13)
	case e == 0:
		v := float32(m) * (1.0 / (1 << 24))
		return math.Float32frombits(sign | math.Float32bits(v))
	}
	return math.Float32frombits(sign | (e+112)<<23 | m<<13)
}

// floatToHalf rounds to nearest even; every NaN becomes 0x7fff.
func floatToHalf(f float32) uint16 {
	u := math.Float32bits(f)
	sign, a := uint16(u>>16&0x8000), u&0x7fffffff
	switch {
	case a > 0x7f800000:
		return 0x7fff
	case a >= 0x477ff000: // rounds to 2^16 or more
		return sign | 0x7c00
	case a < 0x38800000: // subnormal: multiples of 2^-24
		m := math.RoundToEven(float64(math.Float32frombits(a)) * (1 << 24))
		return sign | uint16(m)
	}
	return sign | uint16((a-0x38000000+0xfff+a>>13&1)>>13)
}

// oddFloat rounds to float32 such that a second rounding to 16 bits is right: inexact results get an odd last bit.
func oddFloat(x float64) float32 {
	f := float32(x)
	if float64(f) == x || f != f {
		return f
	}
	u := math.Float32bits(f)
	if math.Abs(float64(f)) > math.Abs(x) {
		u--
	}
	return math.Float32frombits(u | 1)
}

// halfArithmetic is add, sub, mul, fma, min and max of one or two 16-bit numbers.
func halfArithmetic(d *decoder, t ptx.Type) {
	op, n := d.in.Op, 3
	if op == "fma" || op == "mad" {
		n = 4
	}
	if len(d.in.Args) != n {
		d.fail("%d operands, want %d", len(d.in.Args), n)
		return
	}
	d.allow("rn", "ftz", "NaN", "noftz", "sat", "relu")
	fm, sat, relu := formatOf(t), d.has("sat"), d.has("relu")
	ext := floatExtremum[float32](op == "min", d.has("NaN"))
	one := func(a, b, c uint16) uint16 {
		x, y := fm.load(a), fm.load(b)
		var r float32
		switch op {
		case "add":
			r = oddFloat(sumToOdd(float64(x), float64(y)))
		case "sub":
			r = oddFloat(sumToOdd(float64(x), -float64(y)))
		case "mul":
			r = oddFloat(float64(x) * float64(y))
		case "min", "max":
			r = ext(x, y)
		default:
			r = oddFloat(sumToOdd(float64(x)*float64(y), float64(fm.load(c))))
		}
		if sat {
			r = finish(r, false, true)
		}
		if relu && r < 0 {
			r = 0
		}
		return fm.store(r)
	}
	d.out.d, d.out.a, d.out.b = d.dst(0, t), d.src(1, t), d.src(2, t)
	d.out.c = d.out.b
	if n == 4 {
		d.out.c = d.src(3, t)
	}
	if t.Size() == 2 {
		d.emit(Half, lift3(one))
		return
	}
	d.emit(Half, lift3(func(a, b, c uint32) uint32 {
		return uint32(one(uint16(a), uint16(b), uint16(c))) | uint32(one(uint16(a>>16), uint16(b>>16), uint16(c>>16)))<<16
	}))
}

// halfFunction is ex2 and tanh of one or two 16-bit numbers.
func halfFunction(d *decoder, t ptx.Type) {
	fm, f := formatOf(t), floatFunction(d.in.Op)
	one := func(a uint16) uint16 { return fm.store(oddFloat(f(float64(fm.load(a))))) }
	d.out.d, d.out.a = d.dst(0, t), d.src(1, t)
	if t.Size() == 2 {
		d.emit(Special, lift1(one))
		return
	}
	d.emit(Special, lift1(func(a uint32) uint32 { return uint32(one(uint16(a))) | uint32(one(uint16(a>>16)))<<16 }))
}

// tensorFloat drops the bits that the tensor cores do not read of a tf32 operand.
func tensorFloat(v uint32) float32 { return math.Float32frombits(v &^ 0x1fff) }
