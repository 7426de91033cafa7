package linalg_test

import (
	"math"
	"testing"

	"artel/internal/linalg"
	"artel/rng"
)

// TestInverse: A times its inverse is the identity, pivots included; a singular matrix is reported.
func TestInverse(t *testing.T) {
	s := rng.New(4)
	for n := 1; n < 20; n++ {
		a := make([]float64, n*n)
		for i := range a {
			a[i] = s.Normal()
		}
		if n > 1 {
			a[0] = 0 // needs an exchange
		}
		b := append([]float64(nil), a...)
		if !linalg.Inverse(b, n, make([]int, n)) {
			t.Fatalf("n = %d: reported as singular", n)
		}
		for i := range n {
			for j := range n {
				sum := 0.0
				for k := range n {
					sum += a[i*n+k] * b[k*n+j]
				}
				want := 0.0
				if i == j {
					want = 1
				}
				if math.Abs(sum-want) > 1e-9 {
					t.Fatalf("n = %d: (A A^-1)[%d,%d] = %v", n, i, j, sum)
				}
			}
		}
	}
	if linalg.Inverse([]float64{1, 2, 2, 4}, 2, make([]int, 2)) {
		t.Error("a singular matrix has an inverse")
	}
}
