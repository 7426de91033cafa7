package tol

import (
	"fmt"
	"math"
	"testing"

	"artel/dtype"
)

// float is what results are compared in.
type float interface{ ~float32 | ~float64 }

// Mismatch tells how a result differs from what it should be.
type Mismatch struct {
	Bad, N     int     // elements outside the tolerance, elements in all
	Index      int     // the worst element: the largest error in units of its tolerance
	Got, Want  float64 // there
	Err, Limit float64 // |Got-Want| and what is allowed there
	Scale      float64 // what Rel was taken of there
	ULPs       float64 // Err in units of the last place of Want
	DType      dtype.Type
	Tol        Tol
}

// Error gives the count and the worst element.
func (m *Mismatch) Error() string {
	return fmt.Sprintf("%d of %d elements differ; worst [%d]: got %g, want %g: error %.3g (%.3g ulps of %s), allowed %.3g = %.3g * %.3g + %.3g",
		m.Bad, m.N, m.Index, m.Got, m.Want, m.Err, m.ULPs, m.DType, m.Limit, m.Tol.Rel, m.Scale, m.Tol.Abs)
}

// Compare returns nil when |got[i] - want[i]| <= t.Rel * max(|want[i]|, rms(want)) + t.Abs for all i, else a *Mismatch; d is the
// type in whose units the message tells the error. The root mean square is taken over the finite elements of want. A NaN equals
// only a NaN, an infinity only the same infinity. Slices of different length are an error.
func Compare[G, W float](t Tol, d dtype.Type, got []G, want []W) error {
	if len(got) != len(want) {
		return fmt.Errorf("got %d elements, want %d", len(got), len(want))
	}
	m := &Mismatch{N: len(want), DType: d, Tol: t}
	size, worst := rms(want), -1.0
	for i := range want {
		g, w := float64(got[i]), float64(want[i])
		if g == w || g != g && w != w {
			continue
		}
		scale := max(math.Abs(w), size)
		diff, limit := math.Abs(g-w), t.Rel*scale+t.Abs
		finite := !math.IsNaN(diff) && !math.IsInf(diff, 0) && !math.IsInf(w, 0)
		if finite && diff <= limit {
			continue
		}
		m.Bad++
		excess := math.Inf(1) // nothing is worse than a NaN or an infinity
		if finite && limit > 0 {
			excess = diff / limit
		} else if finite {
			excess = diff
		}
		if excess > worst {
			worst = excess
			m.Index, m.Got, m.Want, m.Err, m.Limit, m.Scale, m.ULPs = i, g, w, diff, limit, scale, diff/ulp(d, w)
		}
	}
	if m.Bad == 0 {
		return nil
	}
	return m
}

// Check fails the test, with name and the Mismatch, unless got is want within For(d, k).
func Check[G, W float](t testing.TB, name string, d dtype.Type, k int, got []G, want []W) {
	t.Helper()
	if err := Compare(For(d, k), d, got, want); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// rms is the root mean square of the finite elements, without overflow; 0 when there is none.
func rms[W float](x []W) float64 {
	largest := 0.0
	for _, v := range x {
		if a := math.Abs(float64(v)); a > largest && !math.IsInf(a, 0) {
			largest = a
		}
	}
	if largest == 0 {
		return 0
	}
	sum, n := 0.0, 0
	for _, v := range x {
		if a := float64(v) / largest; !math.IsNaN(a) && !math.IsInf(a, 0) {
			sum += a * a
			n++
		}
	}
	return largest * math.Sqrt(sum/float64(n))
}
