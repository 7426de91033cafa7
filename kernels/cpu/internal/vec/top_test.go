package vec_test

import (
	"math"
	"sort"
	"testing"

	"artel/kernels/cpu/internal/vec"
	"artel/rng"
)

// topRows are ways to fill a row: what is rare in one of them is the rule in another.
var topRows = []struct {
	name string
	draw func(s *rng.Stream, i, n int) float32
}{
	{"normal", func(s *rng.Stream, _, _ int) float32 { return float32(s.Normal()) }},
	{"few values", func(s *rng.Stream, _, _ int) float32 { return float32(s.Intn(4)) }},
	{"one value", func(*rng.Stream, int, int) float32 { return -2 }},
	{"zeros", func(s *rng.Stream, _, _ int) float32 { return special[s.Intn(2)] }},
	{"special", func(s *rng.Stream, _, _ int) float32 { return special[s.Intn(len(special))] }},
	{"bits", func(s *rng.Stream, _, _ int) float32 { return math.Float32frombits(uint32(s.Uint64())) }},
	{"rising", func(_ *rng.Stream, i, _ int) float32 { return float32(i) }},
	{"falling", func(_ *rng.Stream, i, _ int) float32 { return -float32(i) }},
	{"NaN", func(*rng.Stream, int, int) float32 { return float32(math.NaN()) }},
	{"much NaN", func(s *rng.Stream, i, n int) float32 {
		if s.Intn(n) < 3 {
			return float32(s.Normal())
		}
		return special[2+s.Intn(3)]
	}},
	{"last", func(_ *rng.Stream, i, n int) float32 { return []float32{-1, 1, 2}[max(0, i-n+3)] }},
}

// topWant sorts all indices: the definition of Top.
func topWant(picks []int32, x []float32) {
	order := make([]int32, len(x))
	for i := range order {
		order[i] = int32(i)
	}
	sort.SliceStable(order, func(i, j int) bool {
		a, b := x[order[i]], x[order[j]]
		return a > b || a == a && b != b
	})
	for i := range picks {
		picks[i] = -1
	}
	copy(picks, order)
}

// TestTop compares every set with the definition, for all lengths of the last vector, and looks past both ends.
func TestTop(t *testing.T) {
	s := rng.New(11)
	for n := range 300 {
		if n > 140 && n%7 != 0 {
			continue
		}
		for _, row := range topRows {
			memory := make([]float32, n+2)
			x := memory[1 : n+1]
			memory[0], memory[n+1] = guard, guard // larger than what is drawn, as a rule: to read it shows
			for i := range x {
				x[i] = row.draw(&s, i, n)
			}
			for _, k := range []int{0, 1, 2, 3, 4, 6, 8, 9, 16, 17, 40} {
				want := make([]int32, k)
				topWant(want, x)
				for _, set := range vec.Sets() {
					got := make([]int32, k+2)
					got[0], got[k+1] = -7, -7
					set.Top(got[1:k+1], x)
					for i, w := range want {
						if got[i+1] != w {
							t.Fatalf("%s %s n=%d k=%d: pick %d is %d, want %d (of %v)", set.Name, row.name, n, k, i, got[i+1], w, x)
						}
					}
					if got[0] != -7 || got[k+1] != -7 {
						t.Fatalf("%s %s n=%d k=%d: wrote past the picks", set.Name, row.name, n, k)
					}
				}
			}
		}
	}
}
