package gradsurgery_test

import (
	"errors"
	"math"
	"testing"

	"artel/gradsurgery"
	"artel/internal/linalg"
	"artel/rng"

	"pgregory.net/rapid"
)

// drawRows draws task gradients: up to 64, of any rank, with copies and zeros among them, of any common scale from 1e-10 to 1e10.
func drawRows(t *rapid.T) rows {
	m := rapid.OneOf(rapid.IntRange(1, 8), rapid.Just(64)).Draw(t, "tasks")
	p := rapid.IntRange(1, 2*m).Draw(t, "coordinates")
	s := rng.New(rapid.Uint64().Draw(t, "seed"))
	j := normal(m, p, &s)
	for range rapid.IntRange(0, m/2).Draw(t, "edits") {
		a, b := s.Intn(m), s.Intn(m)
		switch s.Intn(3) {
		case 0:
			copy(j[a], j[b])
		case 1:
			clear(j[a])
		default:
			copy(j[a], rows{j[b]}.scaled(-s.Float64())[0])
		}
	}
	return j.scaled(math.Pow(10, float64(rapid.IntRange(-10, 10).Draw(t, "scale"))))
}

// solved runs a method; no answer must be a *linalg.Error that carries its residual.
func solved(t *rapid.T, name string, cfg any, j rows) (w, gw []float64, size float64, ok bool) {
	s, err := gradsurgery.New(name, cfg, len(j), 1)
	if err != nil {
		t.Fatal(err)
	}
	w = make([]float64, len(j))
	if err := s.Weights(j.input(), w); err != nil {
		var none *linalg.Error
		if !errors.As(err, &none) || !(none.Residual >= 0) {
			t.Fatalf("%s: %v", name, err)
		}
		return nil, nil, 0, false
	}
	g, size := j.times(w)
	gw = make([]float64, len(j))
	for i, row := range j {
		gw[i] = dot(row, g)
	}
	return w, gw, size, true
}

// longest is the length of the longest row.
func (j rows) longest() (top float64) {
	for _, row := range j {
		top = max(top, norm(row))
	}
	return top
}

// TestOptimality checks the answers of the solvers by the conditions of optimality of their problems, not by other solvers.
func TestOptimality(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := drawRows(t)
		m, top := len(j), j.longest()
		if w, gw, _, ok := solved(t, "mgda", nil, j); ok { // w on the simplex; <g_t,g> >= |g|^2 for all t
			var sum, square float64
			for i := range w {
				if w[i] < 0 {
					t.Fatalf("mgda: weight %d is %v", i, w[i])
				}
				sum += w[i]
				square += w[i] * gw[i]
			}
			for i := range w {
				if !near(sum, 1, 1e-12) || gw[i] < square-1e-10*top*top {
					t.Fatalf("mgda: sum %v, <g_%d,g> = %v under |g|^2 = %v", sum, i, gw[i], square)
				}
			}
		} else if top > 0 {
			t.Fatal("mgda: no answer")
		}
		if w, gw, size, ok := solved(t, "dualproj", nil, j); ok { // v >= pref, G v >= 0, and one of both tight
			for i := range w {
				slack := w[i] - 1/float64(m)
				if slack < 0 || gw[i] < -1e-9*size*norm(j[i]) || slack*gw[i] > 1e-8*size*size {
					t.Fatalf("dualproj: task %d: weight %v over its least, <g_t,g> = %v of %v", i, slack, gw[i], size*norm(j[i]))
				}
			}
		} else {
			t.Fatal("dualproj: no answer")
		}
		if w, gw, _, ok := solved(t, "nash_mtl", nil, j); ok { // w_t <g_t,g> = 1, or everything balances
			for i := range w {
				if w[i] > 0 && !near(w[i]*gw[i], 1, 1e-6) {
					t.Fatalf("nash_mtl: task %d gains %v, want 1", i, w[i]*gw[i])
				}
			}
		}
		checkBall(t, j, top)
	})
}

// checkBall: the step of cagrad is in the ball, and its worst case is that of the dual problem's point to which it belongs.
func checkBall(t *rapid.T, j rows, top float64) {
	const c = 0.4
	m := float64(len(j))
	w, gd, _, ok := solved(t, "cagrad", &gradsurgery.CAGradOptions{C: c}, j)
	if !ok {
		t.Fatal("cagrad: no answer")
	}
	mean, y := make([]float64, len(j)), make([]float64, len(j))
	var sum float64
	for i := range w {
		mean[i], y[i] = 1/m, w[i]-1/m
		sum += y[i]
	}
	g0, _ := j.times(mean)
	step, _ := j.times(y)
	if norm(step) > c*norm(g0)*(1+1e-9)+1e-12*top {
		t.Fatalf("cagrad: a step of %v from the mean, want at most %v", norm(step), c*norm(g0))
	}
	if sum <= 1e-9 {
		return // the mean itself
	}
	worst, upper := math.Inf(1), c*norm(g0)*norm(step)/sum
	for i, row := range j {
		worst = min(worst, gd[i])
		upper += y[i] / sum * dot(row, g0)
	}
	v, _, _, _ := solved(t, "mgda", nil, j) // any point of the simplex gives a bound; this one where 0 is a convex combination
	nearest, _ := j.times(v)
	upper = min(upper, dot(nearest, g0)+c*norm(g0)*norm(nearest))
	if worst < upper-1e-6*top*top {
		t.Fatalf("cagrad: worst case %v, the dual bound is %v", worst, upper)
	}
}
