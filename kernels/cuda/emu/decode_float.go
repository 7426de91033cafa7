package emu

import (
	"math"

	"artel/kernels/cuda/emu/ptx"
)

// flush replaces a subnormal number by a zero of its sign.
func flush(v float32, on bool) float32 {
	if on && math.Float32bits(v)&0x7f800000 == 0 {
		return math.Float32frombits(math.Float32bits(v) & (1 << 31))
	}
	return v
}

// finish applies .ftz and .sat to a result; .sat makes a NaN zero.
func finish(v float32, ftz, sat bool) float32 {
	if sat {
		if !(v > 0) {
			return 0
		}
		return min(v, 1)
	}
	return flush(v, ftz)
}

// fusedMultiplyAdd is fma.rn.
func fusedMultiplyAdd(d *decoder) {
	t := d.typ()
	if t.Float() && t.Size() <= 4 && t != ptx.F32 {
		halfArithmetic(d, t)
		return
	}
	if !d.count(4) {
		return
	}
	d.out.d, d.out.a, d.out.b, d.out.c = d.dst(0, t), d.src(1, t), d.src(2, t), d.src(3, t)
	switch t {
	case ptx.F32:
		d.allow("rn", "rz", "rm", "rp", "ftz", "sat")
		d.emit(Float32, fmaLanes)
		if mode := d.rounding("rn"); mode != "rn" {
			ftz, sat := d.has("ftz"), d.has("sat")
			d.out.fn = lift3(func(a, b, c float32) float32 {
				x := sumToOdd(float64(flush(a, ftz))*float64(flush(b, ftz)), float64(flush(c, ftz)))
				return finish(direct32(x, mode), ftz, sat)
			})
		} else if ftz, sat := d.has("ftz"), d.has("sat"); ftz || sat {
			d.out.fn = lift3(func(a, b, c float32) float32 {
				return finish(fma32(flush(a, ftz), flush(b, ftz), flush(c, ftz)), ftz, sat)
			})
		}
	case ptx.F64:
		d.allow("rn")
		d.emit(Float64, lift3(math.FMA))
	default:
		d.fail("this type is not supported")
	}
}

// divide is div; approximate and full forms give the rounded quotient.
func divide(d *decoder) {
	t := d.typ()
	if !d.count(3) {
		return
	}
	d.out.d, d.out.a, d.out.b = d.dst(0, t), d.src(1, t), d.src(2, t)
	switch t {
	case ptx.F32:
		d.allow("rn", "approx", "full", "ftz")
		d.emit(Special, lift2(func(a, b float32) float32 { return a / b }))
		d.flush2(func(a, b float32) float32 { return a / b })
	case ptx.F64:
		d.allow("rn")
		d.emit(Float64, lift2(func(a, b float64) float64 { return a / b }))
	default:
		d.allow()
		d.emit(Special, integerQuotient(t, false))
	}
}

// remainder is rem.
func remainder(d *decoder) {
	t := d.typ()
	if !d.count(3) {
		return
	}
	d.allow()
	d.out.d, d.out.a, d.out.b = d.dst(0, t), d.src(1, t), d.src(2, t)
	d.emit(Special, integerQuotient(t, true))
}

// quotient divides; division by zero, unspecified in PTX, gives all ones, and the remainder the dividend, as the hardware's sequence does.
func quotient[T integer](rem bool) handler {
	return lift2(func(a, b T) T {
		switch {
		case rem && b == 0:
			return a
		case rem:
			return a % b
		case b == 0:
			return ^T(0)
		}
		return a / b
	})
}

func integerQuotient(t ptx.Type, rem bool) handler {
	switch t {
	case ptx.U16:
		return quotient[uint16](rem)
	case ptx.S16:
		return quotient[int16](rem)
	case ptx.U32:
		return quotient[uint32](rem)
	case ptx.S32:
		return quotient[int32](rem)
	case ptx.U64:
		return quotient[uint64](rem)
	case ptx.S64:
		return quotient[int64](rem)
	}
	return nil
}

// transcendental is rcp, sqrt, rsqrt, ex2, lg2, sin, cos and tanh. Approximate forms are rounded from float64 and so more exact than a device's.
func transcendental(d *decoder) {
	t := d.typ()
	if !d.count(2) {
		return
	}
	if t.Float() && t.Size() <= 4 && t != ptx.F32 {
		d.allow("approx", "ftz")
		halfFunction(d, t)
		return
	}
	d.allow("rn", "approx", "ftz")
	d.out.d, d.out.a = d.dst(0, t), d.src(1, t)
	f := floatFunction(d.in.Op)
	switch t {
	case ptx.F32:
		ftz := d.has("ftz")
		g := func(x float32) float32 { return float32(f(float64(x))) }
		if d.in.Op == "ex2" {
			g = exp2
		}
		if ftz {
			d.emit(Special, lift1(func(x float32) float32 { return flush(g(flush(x, true)), true) }))
		} else {
			d.emit(Special, lift1(g))
		}
	case ptx.F64:
		d.emit(Float64, lift1(f))
	default:
		d.fail("this type is not supported")
	}
}

func floatFunction(op string) func(float64) float64 {
	switch op {
	case "rcp":
		return func(x float64) float64 { return 1 / x }
	case "sqrt":
		return math.Sqrt
	case "rsqrt":
		return func(x float64) float64 { return 1 / math.Sqrt(x) }
	case "ex2":
		return math.Exp2
	case "lg2":
		return math.Log2
	case "sin":
		return math.Sin
	case "cos":
		return math.Cos
	}
	return math.Tanh
}

// exp2 is 2^x to within one unit in the last place: a polynomial for the fraction in [-1/2, 1/2], computed in float64.
func exp2(x float32) float32 {
	switch {
	case x != x:
		return x
	case x >= 128:
		return float32(math.Inf(1))
	case x < -151:
		return 0
	}
	n := math.Floor(float64(x) + 0.5)
	f := (float64(x) - n) * math.Ln2
	// Taylor's series of e^f to the eighth power: the rest is below 2^-32.
	p := 1 + f*(1+f*(1./2+f*(1./6+f*(1./24+f*(1./120+f*(1./720+f*(1./5040+f*(1./40320))))))))
	return float32(p * math.Float64frombits(uint64(int64(n)+1023)<<52))
}
