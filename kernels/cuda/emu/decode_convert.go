package emu

import (
	"math"
	"math/bits"

	"artel/kernels/cuda/emu/ptx"
)

var convertWords = []string{"rn", "rz", "rm", "rp", "rna", "rni", "rzi", "rmi", "rpi", "ftz", "sat", "satfinite", "relu"}

// convert is cvt.
func convert(d *decoder) {
	if d.has("e4m3x2") || d.has("e5m2x2") {
		smallConversion(d)
		return
	}
	if len(d.in.Args) == 3 {
		convertPair(d)
		return
	}
	if !d.count(2) || len(d.in.Mods) < 2 {
		return
	}
	d.allow(convertWords...)
	from, to := d.typ(), ptx.TypeOf(d.word(len(d.in.Mods)-2))
	if to == ptx.NoType {
		d.fail("two types are wanted")
		return
	}
	var dn, an int
	if d.out.a, an = d.anySrc(d.arg(1), from); d.err != nil {
		return
	}
	if d.out.d, dn = d.anyDst(d.arg(0), to); d.err != nil {
		return
	}
	if fn := hotConversion(to, from, dn, an); fn != nil && !d.has("sat") && !d.has("ftz") && (!to.Float() || d.has("rn")) {
		d.emit(Convert, fn)
		return
	}
	f := d.conversion(to, from)
	if f == nil {
		d.fail("conversion from .%s to .%s is not supported", from, to)
		return
	}
	d.emit(Convert, func(w *warp, in *inst) {
		for m := w.exec; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			putLane(w, in.d, l, dn, f(getLane(w, in.a, l, an)))
		}
	})
}

// hotConversion has loops of their own for what compilers write most.
func hotConversion(to, from ptx.Type, dn, an int) handler {
	switch {
	case to == ptx.U64 && from == ptx.U32 && an == 4 && dn == 8:
		return lift1(func(a uint32) uint64 { return uint64(a) })
	case to == ptx.S64 && from == ptx.S32 && an == 4 && dn == 8:
		return lift1(func(a int32) int64 { return int64(a) })
	case to == ptx.U32 && from == ptx.U64 && an == 8 && dn == 4:
		return lift1(func(a uint64) uint32 { return uint32(a) })
	case to == ptx.F32 && from == ptx.S32 && an == 4 && dn == 4:
		return lift1(func(a int32) float32 { return float32(a) })
	case to == ptx.F32 && from == ptx.U32 && an == 4 && dn == 4:
		return lift1(func(a uint32) float32 { return float32(a) })
	}
	return nil
}

// conversion returns a function of a lane's bits; only the source type's low bits count, and the result is extended to 64 bits by the type's sign.
func (d *decoder) conversion(to, from ptx.Type) func(uint64) uint64 {
	switch {
	case !from.Float() && !to.Float():
		return integerConversion(to, from, d.has("sat"))
	case !from.Float():
		return d.toFloat(to, from)
	case !to.Float():
		return d.toInteger(to, from)
	}
	return d.floatConversion(to, from)
}

// extend cuts a value to a type and extends it.
func extend(v uint64, t ptx.Type) uint64 {
	n := 64 - 8*t.Size()
	if t.Signed() {
		return uint64(int64(v<<n) >> n)
	}
	return v << n >> n
}

func integerConversion(to, from ptx.Type, sat bool) func(uint64) uint64 {
	return func(v uint64) uint64 {
		v = extend(v, from)
		if sat {
			v = saturate(v, from.Signed(), to)
		}
		return extend(v, to)
	}
}

// saturate clamps an integer, signed or not, to a type's range.
func saturate(v uint64, signed bool, to ptx.Type) uint64 {
	lo, hi := integerRange(to)
	if signed {
		s := int64(v)
		if s < lo {
			return uint64(lo)
		}
		if s >= 0 && uint64(s) > hi {
			return hi
		}
		return v
	}
	return min(v, hi)
}

func integerRange(t ptx.Type) (lo int64, hi uint64) {
	n := 8 * t.Size()
	if t.Signed() {
		return -1 << (n - 1), 1<<(n-1) - 1
	}
	return 0, math.MaxUint64 >> (64 - n)
}

// toFloat converts an integer.
func (d *decoder) toFloat(to, from ptx.Type) func(uint64) uint64 {
	mode := d.rounding("rn")
	return func(v uint64) uint64 {
		v = extend(v, from)
		neg := from.Signed() && int64(v) < 0
		if neg {
			v = -v
		}
		// Odd rounding to float64 keeps what a second rounding needs.
		x := float64(v)
		if hi := bits.Len64(v); hi > 53 {
			cut := hi - 53
			t := v >> cut << cut
			x = float64(t)
			if t != v {
				if to == ptx.F64 {
					return math.Float64bits(signed(roundTail(v, cut, mode, neg), neg))
				}
				x = math.Float64frombits(math.Float64bits(x) | 1)
			}
		}
		return storeFloat(signed(x, neg), to, mode)
	}
}

func signed(x float64, neg bool) float64 {
	if neg {
		return -x
	}
	return x
}

// roundTail rounds v to a multiple of 2^cut.
func roundTail(v uint64, cut int, mode string, neg bool) float64 {
	down := v >> cut << cut
	up := mode == "rp" && !neg || mode == "rm" && neg
	if mode == "rn" {
		return float64(v)
	}
	if up {
		return float64(down) + math.Ldexp(1, cut)
	}
	return float64(down)
}

func (d *decoder) rounding(otherwise string) string {
	for _, m := range d.in.Mods {
		switch m {
		case "rn", "rz", "rm", "rp", "rna", "rni", "rzi", "rmi", "rpi":
			return m
		}
	}
	return otherwise
}

// loadFloat returns the value of a float's bits.
func loadFloat(v uint64, t ptx.Type) float64 {
	switch t {
	case ptx.F16:
		return float64(halfToFloat(uint16(v)))
	case ptx.BF16:
		return float64(brainToFloat(uint16(v)))
	case ptx.F32, ptx.TF32:
		return float64(math.Float32frombits(uint32(v)))
	}
	return math.Float64frombits(v)
}

// storeFloat rounds to a type; x is exact or rounded to odd.
func storeFloat(x float64, t ptx.Type, mode string) uint64 {
	if t == ptx.F64 {
		return math.Float64bits(x)
	}
	f := float32(x)
	if t == ptx.F32 {
		if mode != "rn" {
			f = direct32(x, mode)
		}
		return uint64(math.Float32bits(f))
	}
	if t == ptx.TF32 {
		u := math.Float32bits(f)
		if f != f || math.IsInf(float64(f), 0) {
			return uint64(u)
		}
		if mode == "rz" {
			return uint64(u &^ 0x1fff)
		}
		if mode == "rn" {
			return uint64((u + 0xfff + u>>13&1) &^ 0x1fff)
		}
		return uint64((u + 0x1000) &^ 0x1fff) // rna: ties away from zero
	}
	odd := oddFloat(x)
	if mode == "rz" {
		return uint64(truncate16(odd, t))
	}
	return uint64(formatOf(t).store(odd))
}

// direct32 rounds toward zero, minus or plus infinity.
func direct32(x float64, mode string) float32 {
	f := float32(x)
	if float64(f) == x || x != x {
		return f
	}
	above := float64(f) > x
	want := mode == "rp" || mode == "rz" && x < 0
	switch {
	case above && !want:
		return math.Nextafter32(f, float32(math.Inf(-1)))
	case !above && want:
		return math.Nextafter32(f, float32(math.Inf(1)))
	}
	return f
}

// truncate16 rounds toward zero.
func truncate16(f float32, t ptx.Type) uint16 {
	if f != f {
		return 0x7fff
	}
	if t == ptx.BF16 {
		return uint16(math.Float32bits(f) >> 16)
	}
	h := floatToHalf(f)
	if math.Abs(float64(halfToFloat(h))) > math.Abs(float64(f)) {
		h--
	}
	return h
}

// toInteger rounds to an integer and clamps to the range of the type.
func (d *decoder) toInteger(to, from ptx.Type) func(uint64) uint64 {
	round := d.integral("rzi")
	lo, hi := integerRange(to)
	ftz := d.has("ftz")
	return func(v uint64) uint64 {
		x := loadFloat(v, from)
		if ftz {
			x = float64(flush(float32(x), true))
		}
		if x != x {
			if from != ptx.F64 && to.Size() < 8 {
				return 0
			}
			return 1 << (8*to.Size() - 1)
		}
		x = round(x)
		switch {
		case x <= float64(lo):
			return extend(uint64(lo), to)
		case x >= float64(hi):
			return extend(hi, to)
		case x >= 1<<63:
			return uint64(x-1<<63) + 1<<63
		}
		return extend(uint64(int64(x)), to)
	}
}

// integral returns the function that rounds to an integer.
func (d *decoder) integral(otherwise string) func(float64) float64 {
	switch d.rounding(otherwise) {
	case "rni", "rn":
		return math.RoundToEven
	case "rmi", "rm":
		return math.Floor
	case "rpi", "rp":
		return math.Ceil
	}
	return math.Trunc
}

func (d *decoder) floatConversion(to, from ptx.Type) func(uint64) uint64 {
	if to == ptx.F16x2 || to == ptx.BF16x2 || from == ptx.F16x2 || from == ptx.BF16x2 {
		return nil
	}
	mode := d.rounding("rn")
	ftz, sat, relu := d.has("ftz"), d.has("sat"), d.has("relu")
	toInt := len(mode) == 3 && mode != "rna" && to == from
	round := d.integral(mode)
	return func(v uint64) uint64 {
		x := loadFloat(v, from)
		if ftz && from == ptx.F32 {
			x = float64(flush(float32(x), true))
		}
		if toInt {
			x = round(x)
		}
		x = adjust(x, sat, relu)
		r := storeFloat(x, to, mode)
		if ftz && to == ptx.F32 {
			r = uint64(math.Float32bits(flush(math.Float32frombits(uint32(r)), true)))
		}
		return r
	}
}

// adjust applies .sat and .relu.
func adjust(x float64, sat, relu bool) float64 {
	if sat {
		if !(x > 0) {
			return 0
		}
		return min(x, 1)
	}
	if relu && x < 0 {
		return 0
	}
	return x
}

// convertPair is cvt.rn.{f16x2,bf16x2}.f32 d, a, b: a goes to the high half, b to the low one.
func convertPair(d *decoder) {
	d.allow(convertWords...)
	to := ptx.TypeOf(d.word(len(d.in.Mods) - 2))
	if to != ptx.F16x2 && to != ptx.BF16x2 || d.typ() != ptx.F32 {
		d.fail("this form is not supported")
		return
	}
	half := ptx.F16
	if to == ptx.BF16x2 {
		half = ptx.BF16
	}
	fm, rz, relu := formatOf(to), d.has("rz"), d.has("relu")
	one := func(f float32) uint32 {
		if relu && f < 0 {
			f = 0
		}
		if rz {
			return uint32(truncate16(f, half))
		}
		return uint32(fm.store(f))
	}
	d.out.d, d.out.a, d.out.b = d.dst(0, to), d.src(1, ptx.F32), d.src(2, ptx.F32)
	d.emit(Convert, lift2(func(a, b float32) uint32 { return one(a)<<16 | one(b) }))
}
