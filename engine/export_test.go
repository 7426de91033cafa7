package engine

import (
	"testing"

	"artel/dtype"
	"artel/internal/tol"
)

// CheckCross recomputes the inner products of the last step between the first two independent batches of its only unit.
func CheckCross(t *testing.T, e *Engine) {
	t.Helper()
	s := e.surgeon
	if len(s.sinks) != 3 || len(s.units) != 1 {
		t.Fatalf("%d sinks, %d units; want 3 and 1", len(s.sinks), len(s.units))
	}
	want := make([]float64, s.rows*s.rows)
	for i, g := range s.units[0].groups {
		a, b := s.sinks[0].GroupRows(g), s.sinks[1].GroupRows(g)
		for x := 0; x < s.rows; x++ {
			for y := 0; y < s.rows; y++ {
				if p := s.units[0].present[i].I32(); p[x] == 0 || p[y] == 0 {
					continue
				}
				for j, v := range a.At(x).F64() {
					want[x*s.rows+y] += v * b.At(y).F64()[j]
				}
			}
		}
	}
	if want[1] == want[s.rows] {
		t.Error("the matrix is symmetric: are the batches the same?")
	}
	tol.Check(t, "J1 J2'", dtype.F64, 10000, s.in.Cross, want)
}
