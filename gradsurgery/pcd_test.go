package gradsurgery_test

import (
	"math"
	"slices"
	"testing"

	"artel/gradsurgery"
	"artel/rng"
)

// TestPCDCorners: constraints that contradict each other are dropped, a primary gradient of 0 stops the step, and without the primary task the rest is summed.
func TestPCDCorners(t *testing.T) {
	for _, c := range []struct {
		what string
		j    rows
		want []float64
	}{
		{"opposite secondaries", rows{{1, 2}, {1, 0}, {-3, 0}}, []float64{1, 0, 0}},
		{"no primary gradient", rows{{0, 0}, {1, 0}, {0, 1}}, []float64{0, 0, 0}},
		{"a secondary of 0", rows{{1, 2}, {0, 0}, {1, 1}}, []float64{1, 0, 0}},
	} {
		if w := weights(t, "pcd", nil, c.j.input()); !slices.EqualFunc(w, c.want, func(a, b float64) bool { return near(a, b, 1e-12) }) {
			t.Errorf("%s: %v, want %v", c.what, w, c.want)
		}
	}
	s, err := gradsurgery.New("pcd", nil, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	in := rows{{1, 2}, {-3, 1}}.input()
	in.Tasks = []int{1, 2}
	w := make([]float64, 2)
	if err := s.Weights(in, w); err != nil || w[0] != 1 || w[1] != 1 {
		t.Errorf("without the primary task: %v, %v", w, err)
	}
	if _, err := gradsurgery.New("pcd", &gradsurgery.PCDOptions{Primary: 3}, 3, 1); err == nil {
		t.Error("a primary task that does not exist was accepted")
	}
}

// TestPCDConditions: with independent gradients, every other task gains at least tau of what its own normalised gradient would give, with equality where it has weight; the step is as long as the
// primary gradient.
func TestPCDConditions(t *testing.T) {
	const tau = 0.3
	for seed := range uint64(60) {
		r := rng.New(seed).Sub("pcd")
		m := 2 + r.Intn(8)
		if seed == 0 {
			m = 64
		}
		j := normal(m, 2*m, &r)
		primary := r.Intn(m)
		w := weights(t, "pcd", &gradsurgery.PCDOptions{Tau: tau, Beta: 0.9, Primary: primary}, j.input())
		g, size := j.times(w)
		if !near(norm(g), norm(j[primary]), 1e-12*size) {
			t.Fatalf("length %v, want that of the primary gradient, %v", norm(g), norm(j[primary]))
		}
		scale := w[primary] * norm(j[primary]) // of the step against d
		for i, row := range j {
			if i == primary {
				continue
			}
			gain := dot(row, g) / norm(row) / scale
			if gain < tau-1e-9 || w[i] > 0 && math.Abs(gain-tau) > 1e-9 {
				t.Fatalf("%d tasks: task %d with weight %v gains %v, want %v", m, i, w[i], gain, tau)
			}
		}
	}
}
