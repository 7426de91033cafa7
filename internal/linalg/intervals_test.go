package linalg_test

import (
	"math"
	"testing"

	"artel/internal/linalg"
	"artel/rng"
)

// bestCut is the least sum of squared distances over all ways to cut x (ascending) into at most k runs.
func bestCut(x []float64, k int) float64 {
	if len(x) == 0 {
		return 0
	}
	if k == 0 {
		return math.Inf(1)
	}
	best := math.Inf(1)
	for n := 1; n <= len(x); n++ {
		mean, spread := 0.0, 0.0
		for _, v := range x[:n] {
			mean += v / float64(n)
		}
		for _, v := range x[:n] {
			spread += (v - mean) * (v - mean)
		}
		best = min(best, spread+bestCut(x[n:], k-1))
	}
	return best
}

// TestIntervals compares with a search over all cuts.
func TestIntervals(t *testing.T) {
	s := rng.New(5)
	for range 200 {
		n, k := 1+s.Intn(7), 1+s.Intn(4)
		x, sorted := make([]float64, n), make([]float64, n)
		for i := range x {
			x[i] = float64(s.Intn(12)) + 1e6 // equal numbers now and then, far from 0
		}
		copy(sorted, x)
		for i := range sorted {
			for j := range i {
				if sorted[j] > sorted[i] {
					sorted[i], sorted[j] = sorted[j], sorted[i]
				}
			}
		}
		means := make([]float64, n)
		v := linalg.NewIntervals(8)
		v.Means(x, k, means)
		var spread float64
		groups := map[float64]bool{}
		for i := range x {
			spread += (x[i] - means[i]) * (x[i] - means[i])
			groups[means[i]] = true
			for j := range x {
				if x[i] == x[j] && means[i] != means[j] {
					t.Fatalf("%v, %d groups: equal numbers have means %v", x, k, means)
				}
			}
		}
		if want := bestCut(sorted, k); math.Abs(spread-want) > 1e-6 || len(groups) > k {
			t.Fatalf("%v in %d groups: means %v, squared distances %v, want %v", x, k, means, spread, want)
		}
		if a := testing.AllocsPerRun(3, func() { v.Means(x, k, means) }); a != 0 {
			t.Fatalf("%v allocations", a)
		}
	}
}
