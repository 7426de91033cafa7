package gradsurgery_test

import (
	"math"
	"testing"

	"artel/gradsurgery"
	"artel/rng"
)

// TestCAGradOptimal checks the optimality conditions: d lies in the ball, and its worst case min_t <g_t,d> meets the upper bound
// <g_0,g_v> + c|g_0||g_v| of the convex combination v that the weights came from.
func TestCAGradOptimal(t *testing.T) {
	for _, c := range []float64{0.1, 0.4, 1, 3} {
		samples(40, []float64{1, 1e-8, 1e8}, func(id string, j rows, _ rng.Stream) {
			m := float64(len(j))
			w := weights(t, "cagrad", &gradsurgery.CAGradOptions{C: c}, j.input())
			d, size := j.times(w)
			ones := make([]float64, len(j))
			y := make([]float64, len(j))
			var sum float64
			for i := range ones {
				ones[i] = 1 / m
				y[i] = w[i] - 1/m
				if y[i] < 0 {
					t.Fatalf("%s, c=%v: weight %v under 1/m", id, c, w[i])
				}
				sum += y[i]
			}
			g0, _ := j.times(ones)
			k := c * norm(g0)
			step := make([]float64, len(d))
			for p := range d {
				step[p] = d[p] - g0[p]
			}
			// |d - g_0|^2 comes from G, so its error is the rounding of terms of that size squared.
			if norm(step) > k*(1+1e-9)+1e-15*size*size/k {
				t.Errorf("%s, c=%v: |d - g0| = %v, radius %v", id, c, norm(step), k)
			}
			if sum == 0 {
				return
			}
			worst, scale := math.Inf(1), 0.0
			for _, row := range j {
				worst = min(worst, dot(row, d))
				scale = max(scale, norm(row)*size)
			}
			bound := 0.0 // a task with gradient 0, or 0 in the hull: nothing above 0 can be reached
			if norm(step) >= k*(1-1e-9) {
				for i := range y {
					y[i] /= sum
				}
				gv, _ := j.times(y)
				bound = dot(g0, gv) + k*norm(gv)
			}
			if worst < bound-1e-9*scale {
				t.Errorf("%s, c=%v: worst case %v, bound %v (scale %v)", id, c, worst, bound, scale)
			}
		})
	}
}

// TestCAGradZeroInHull: opposite gradients, and a solved task beside others, are no reason to stop or to divide by zero.
func TestCAGradZeroInHull(t *testing.T) {
	j := rows{{1, 0}, {-1, 0}, {0, 3}}
	w := weights(t, "cagrad", &gradsurgery.CAGradOptions{C: 1}, j.input())
	if d, _ := j.times(w); !near(d[0], 0, 1e-15) || !near(d[1], 1, 1e-15) {
		t.Errorf("update %v, want the mean 0,1, which already harms nobody", d)
	}
	r := rng.New(6)
	for range 50 { // three rows around 0 in a plane, and a mean that lies above it: 0 is in the hull only up to rounding
		a, b := normal(1, 2, &r)[0], normal(1, 2, &r)[0]
		j := rows{{a[0], a[1], 0}, {b[0], b[1], 0}, {-a[0] - b[0], -a[1] - b[1], 0}, {0, 0, 1}}
		for _, v := range weights(t, "cagrad", &gradsurgery.CAGradOptions{C: 1}, j.input()) {
			if !near(v, 0.25, 1e-12) {
				t.Fatalf("weights %v, want the mean", v)
			}
		}
	}
	j = rows{{0, 0}, {1, 0}, {-3, 1}}
	w = weights(t, "cagrad", &gradsurgery.CAGradOptions{C: 1}, j.input())
	if d, _ := j.times(w); norm(d) == 0 || dot(d, j[1]) < -1e-15 || dot(d, j[2]) < -1e-15 {
		t.Errorf("update %v with a solved task", d)
	}
	if w := weights(t, "cagrad", &gradsurgery.CAGradOptions{C: 0}, j.input()); w[0] != w[1] || w[1] != 1.0/3 {
		t.Errorf("c = 0: %v, want the mean", w)
	}
	for i, factor := range []float64{1, 1 / (1 + 0.25), 1 / 1.5} {
		a := weights(t, "cagrad", &gradsurgery.CAGradOptions{C: 0.5}, j.input())
		b := weights(t, "cagrad", &gradsurgery.CAGradOptions{C: 0.5, Rescale: i}, j.input())
		if !near(b[2], a[2]*factor, 1e-15) {
			t.Errorf("rescale %d: %v, want %v", i, b[2], a[2]*factor)
		}
	}
}
