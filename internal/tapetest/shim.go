package tapetest

import (
	"math"
	"testing"

	"artel/dtype"
)

func check(t testing.TB, name string, d dtype.Type, k int, got, want []float64) {
	t.Helper()
	lim := 1e-12
	if d == dtype.F32 {
		lim = 2e-5
	}
	var m float64
	for _, v := range want {
		m = math.Max(m, math.Abs(v))
	}
	bad := 0
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= lim*m) {
			if bad == 0 {
				t.Errorf("%s: [%d] got %v want %v", name, i, got[i], want[i])
			}
			bad++
		}
	}
	if bad > 0 {
		t.Errorf("%s: %d of %d bad", name, bad, len(want))
	}
}
