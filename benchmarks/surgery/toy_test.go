package main

import "testing"

// TestProjectionHelps: where gradients oppose each other in a steep direction and agree in a flat one, projection must reach the Pareto set much sooner; without
// conflict it must be the sum, bit for bit.
func TestProjectionHelps(t *testing.T) {
	sum, err := opposed.best("sum")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pcgrad", "upgrad"} {
		r, err := opposed.best(name)
		if err != nil {
			t.Fatal(err)
		}
		if 10*r.steps > sum.steps {
			t.Errorf("%s needs %d steps, the sum %d", name, r.steps, sum.steps)
		}
	}
	a, _ := newDescent("sum")
	b, _ := newDescent("pcgrad")
	x, y := [2]float64{2, 1}, [2]float64{2, 1}
	for range 50 {
		x, _ = a.step(agreeing, x, 0.004)
		y, _ = b.step(agreeing, y, 0.004)
		if x != y {
			t.Fatalf("without conflict: %v, want %v", y, x)
		}
	}
}

// TestPareto: gradients at every point of the set have a convex combination of 0.
func TestPareto(t *testing.T) {
	for _, p := range []*pair{crossing, opposed} {
		for i := range 11 {
			l := float64(i) / 10
			_, g := p.at(p.pareto(l))
			for k := range 2 {
				if v := l*g[0][k] + (1-l)*g[1][k]; v > 1e-12 || v < -1e-12 {
					t.Errorf("%s at %v: %v, want 0", p.name, l, v)
				}
			}
		}
	}
}
