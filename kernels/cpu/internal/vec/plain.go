package vec

import (
	"math"

	"artel/dtype"
	"artel/rng"
)

func bits(x float32) uint32     { return math.Float32bits(x) }
func fromBits(b uint32) float32 { return math.Float32frombits(b) }

// fma is x*y + z rounded once. The product is exact in float64 and so is the error of the sum, which decides where the sum lies on the border
// between two float32 numbers (Boldo and Melquiond 2008).
func fma(x, y, z float32) float32 {
	p, c := float64(x)*float64(y), float64(z)
	s := p + c
	b := math.Float64bits(s)
	if b&(1<<29-1) != 1<<28 && math.Abs(s) >= 0x1p-126 {
		return float32(s)
	}
	if math.IsInf(s, 0) || s != s {
		return float32(s)
	}
	t := s - p
	rest := (p - (s - t)) + (c - t)
	if rest != 0 && b&1 == 0 { // to odd: then the second rounding cannot hit a tie that is none
		if (rest > 0) == (s > 0) {
			b++
		} else {
			b--
		}
		s = math.Float64frombits(b)
	}
	return float32(s)
}

// round is x rounded to the nearest integer, ties to even, for |x| < 2^22 and NaN.
func round(x float32) float32 {
	const big = 3 << 22
	return float32(float32(x+big) - big)
}

// pow2 is x * 2^n for integers n in [-150,128] and x near 1; only the second product rounds.
func pow2(x, n float32) float32 {
	if n != n {
		return n
	}
	i := int32(n)
	half := i >> 1
	y := float32(x * fromBits(uint32(half+127)<<23))
	return float32(y * fromBits(uint32(i-half+127)<<23))
}

// tree adds the running sums: vectors of 16 pairwise, then halves.
func tree(s []float32) float32 {
	for step := 16; step < len(s); step *= 2 {
		for j := 0; j < len(s); j += 2 * step {
			for i := j; i < j+16; i++ {
				s[i] += s[i+step]
			}
		}
	}
	for h := 8; h > 0; h /= 2 {
		for j := 0; j < h; j++ {
			s[j] += s[h+j]
		}
	}
	return s[0]
}

func largest(s []float32) float32 {
	top := s[0]
	for _, v := range s {
		top = max(top, v)
	}
	return top
}

func dropout(dst, x []float32, key, hi uint64, cut uint32, scale float32) {
	for j := 0; j < len(dst); j += 4 {
		w := rng.Philox(key, hi, uint64(j/4))
		for k := 0; k < 4 && j+k < len(dst); k++ {
			dst[j+k] = 0
			if w[k] >= cut {
				dst[j+k] = x[j+k] * scale
			}
		}
	}
}

func roundHalf(dst []uint16, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = dtype.ToBF16(x[i])
	}
}

func widen(dst []float32, x []uint16) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = dtype.FromBF16(x[i])
	}
}
