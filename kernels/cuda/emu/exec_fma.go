package emu

import "math"

// fma32 returns a*b+c with one rounding. The product of two float32 is exact in float64; rounding the float64 sum to float32 is a second rounding,
// which only goes wrong when the first one landed on a tie of the second. Those sums are rounded to odd first, which makes two roundings equal to one
// (Boldo, Melquiond, "Emulation of a FMA and correctly rounded sums", 2008).
func fma32(a, b, c float32) float32 {
	p := float64(a) * float64(b)
	s := p + float64(c)
	u := math.Float64bits(s)
	// Ties of normal results have the lowest 29 bits 100...0; below 2^-126 the place of ties moves.
	if u&(1<<29-1) != 1<<28 && u&^(1<<63) >= 0x3810000000000000 {
		return float32(s)
	}
	return float32(sumToOdd(p, float64(c)))
}

// sumToOdd returns x+y, rounded to odd when it is not exact.
func sumToOdd(x, y float64) float64 {
	s := x + y
	if s == 0 || math.IsInf(s, 0) || s != s {
		return s
	}
	// Knuth's two-sum: e is what the rounding left out.
	t := s - x
	e := (x - (s - t)) + (y - t)
	u := math.Float64bits(s)
	if e == 0 || u&1 == 1 {
		return s
	}
	if (e > 0) == (s > 0) {
		u++
	} else {
		u--
	}
	return math.Float64frombits(u)
}
