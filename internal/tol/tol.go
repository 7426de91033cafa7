// Package tol is the one tolerance table: how far a result may be from its float64 twin, by element type and by the number of
// terms that were added up.
//
// The model. A result is s = sum of k terms x_i, added one after the other. Every partial sum S_i is rounded, with an independent
// error of variance u^2 S_i^2 / 3 at most, where u is the unit roundoff. Two cases bound what tests meet:
//
//   - terms of random sign and variance v: S_i^2 ~ i v, so the error has variance u^2 v k^2 / 6 while s^2 ~ k v;
//   - terms of one sign and mean m: S_i = i m, so the error has variance u^2 m^2 k^3 / 9 while s = k m.
//
// Relative to the size of s, both are sqrt(k) u times 0.41 or 0.33: 4 sqrt(k) u is ten deviations, and the worst of a million
// elements lies five out. What does not grow with k is rounding of the terms and of the result (u each), and an elementwise
// function on the way, which is right to a few u: together 8 u. Hence
//
//	rel = u (8 + 4 sqrt(k))
//	u   = 2^-53 for F64, 2^-24 for F32, 2^-9 for BF16, 2^-11 for F16; I32 and I64 are exact
//	abs = k times the smallest normal number of the accumulator, as a kernel may flush each term to zero
//
// For BF16 and F16 this allows that the sum itself is kept in the narrow type. A kernel that reads them but adds in float32
// is far better than that for long sums, and its test can ask for more by passing k = 1 (or F32 with inputs rounded beforehand).
//
// "Size of s" is max(|want|, rms of all want), not |want| alone: an element in which the terms happened to cancel keeps the
// absolute error of its neighbours, and measuring it against itself would report noise. So results of very different size
// (rows of different scale) are compared row by row.
//
// The model takes errors as independent. Adding the same number thousands of times breaks it (every step rounds the same way), and
// so do outputs that are zero by cancellation everywhere: use random data, and compare the latter with the size of the terms.
//
// Source of the model: N. J. Higham, T. Mary, "A new approach to probabilistic rounding error analysis", SIAM J. Sci. Comput. 41 (2019).
package tol

import (
	"math"

	"artel/dtype"
)

// Tol is the allowed error of an element: Rel times its scale, plus Abs.
type Tol struct{ Rel, Abs float64 }

// For returns the tolerance of results in d that are sums of k terms; an elementwise result has k = 1. k below 1 counts as 1.
func For(d dtype.Type, k int) Tol {
	n := float64(max(k, 1))
	unit, smallest := 0x1p-24, 0x1p-126
	switch d {
	case dtype.F64:
		unit, smallest = 0x1p-53, 0x1p-1022
	case dtype.F32:
	case dtype.BF16:
		unit = 0x1p-9
	case dtype.F16:
		unit = 0x1p-11
	default:
		return Tol{}
	}
	return Tol{Rel: unit * (8 + 4*math.Sqrt(n)), Abs: n * smallest}
}

// Times returns a tolerance f times as wide, for results of several sums in a row.
func (t Tol) Times(f float64) Tol { return Tol{Rel: f * t.Rel, Abs: f * t.Abs} }

// ulp returns the distance of neighbouring numbers of type d at x.
func ulp(d dtype.Type, x float64) float64 {
	bits, lowest := 0, 0 // of the significand after the point; exponent of the smallest normal number
	switch d {
	case dtype.F64:
		bits, lowest = 52, -1022
	case dtype.F32:
		bits, lowest = 23, -126
	case dtype.BF16:
		bits, lowest = 7, -126
	case dtype.F16:
		bits, lowest = 10, -14
	default:
		return 1
	}
	e := lowest
	if x != 0 {
		e = max(math.Ilogb(x), lowest)
	}
	return math.Ldexp(1, e-bits)
}
