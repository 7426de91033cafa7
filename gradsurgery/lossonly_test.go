package gradsurgery_test

import (
	"math"
	"slices"
	"testing"

	"artel/gradsurgery"
	"artel/rng"
)

// TestRLW: the log ratios of the weights are the differences of the tasks' normal numbers.
func TestRLW(t *testing.T) {
	s := build(t, "rlw", nil, 5)
	var sum, square float64
	const n = 4000
	for step := range uint64(n) {
		in := &gradsurgery.Input{Tasks: []int{0, 2, 4}, Losses: []float64{1, 1, 1}, RNG: rng.New(9).Sub("step", step)}
		w := make([]float64, 3)
		if err := s.Weights(in, w); err != nil {
			t.Fatal(err)
		}
		if total := w[0] + w[1] + w[2]; !near(total, 1, 1e-15) {
			t.Fatalf("weights sum to %v", total)
		}
		two := &gradsurgery.Input{Tasks: []int{0, 4}, Losses: []float64{1, 1}, RNG: in.RNG}
		v := make([]float64, 2)
		if err := s.Weights(two, v); err != nil {
			t.Fatal(err)
		}
		if !near(math.Log(v[0]/v[1]), math.Log(w[0]/w[2]), 1e-12) {
			t.Fatalf("step %d: the ratio of tasks 0 and 4 depends on task 2", step)
		}
		x := math.Log(w[0] / w[2]) // normal with variance 2
		sum += x
		square += x * x
	}
	if mean, variance := sum/n, square/n; math.Abs(mean) > 6*math.Sqrt(2.0/n) || math.Abs(variance-2) > 6*2*math.Sqrt(2.0/n) {
		t.Errorf("log ratios have mean %v and variance %v, want 0 and 2", mean, variance)
	}
}

// TestSoftAdapt follows two steps by hand.
func TestSoftAdapt(t *testing.T) {
	for _, c := range []struct {
		o    gradsurgery.SoftAdaptOptions
		want func(t int) float64 // log weight up to a constant at the second step, losses (1,2) then (0.5,2.5)
	}{
		{gradsurgery.SoftAdaptOptions{Beta: 0.1}, func(t int) float64 { return 0.1 * []float64{-0.5, 0.5}[t] }},
		{gradsurgery.SoftAdaptOptions{Beta: 2, Normalize: true}, func(t int) float64 { return 2 * []float64{-0.5, 0.5}[t] }},
		{gradsurgery.SoftAdaptOptions{Beta: 0.1, Weighted: true}, func(t int) float64 {
			return 0.1*[]float64{-0.5, 0.5}[t] + math.Log([]float64{0.5, 2.5}[t])
		}},
	} {
		s := build(t, "softadapt", &c.o, 2)
		if w := lossWeights(t, s, []float64{1, 2}); !c.o.Weighted && (w[0] != 1 || w[1] != 1) {
			t.Errorf("first weights %v, want 1", w)
		}
		w := lossWeights(t, s, []float64{0.5, 2.5})
		if !near(math.Log(w[1]/w[0]), c.want(1)-c.want(0), 1e-14) || !near(w[0]+w[1], 2, 1e-14) {
			t.Errorf("%+v: weights %v", c.o, w)
		}
	}
}

// TestSLAW: the moving spread equals the direct formula sqrt(E[L^2] - E[L]^2).
func TestSLAW(t *testing.T) {
	const beta = 0.9
	s := build(t, "slaw", &gradsurgery.SLAWOptions{Beta: beta, Floor: 1e-9}, 2)
	r := rng.New(4)
	var a, b [2]float64
	for step := range 30 {
		losses := []float64{2 + r.Float64(), 1 + 0.1*r.Float64()}
		var inverse [2]float64
		for i, x := range losses {
			if step == 0 {
				a[i], b[i] = x*x, x
			} else {
				a[i], b[i] = beta*a[i]+(1-beta)*x*x, beta*b[i]+(1-beta)*x
			}
			inverse[i] = 1 / math.Sqrt(a[i]-b[i]*b[i])
		}
		w := lossWeights(t, s, losses)
		want := []float64{2 * inverse[0] / (inverse[0] + inverse[1]), 2 * inverse[1] / (inverse[0] + inverse[1])}
		if step == 0 {
			want = []float64{1, 1}
		}
		close2(t, "weights", w, want, 1e-9)
	}
}

// TestReLoBRaLo follows the recurrence with beta 0 and 1, where the draw is known.
func TestReLoBRaLo(t *testing.T) {
	losses := [][]float64{{1, 2}, {0.8, 2.2}, {0.7, 1.5}, {0.9, 1.4}}
	balance := func(now, then []float64) []float64 {
		a, b := math.Exp(now[0]/then[0]/0.7), math.Exp(now[1]/then[1]/0.7)
		return []float64{2 * a / (a + b), 2 * b / (a + b)}
	}
	for _, beta := range []float64{0, 1} {
		s := build(t, "relobralo", &gradsurgery.ReLoBRaLoOptions{Alpha: 0.6, Beta: beta, Tau: 0.7}, 2)
		w := []float64{1, 1}
		for step, now := range losses {
			last := losses[max(0, step-1)]
			base, recent := w, balance(now, last)
			if beta == 0 {
				base = balance(now, losses[0])
			}
			w = []float64{0.6*base[0] + 0.4*recent[0], 0.6*base[1] + 0.4*recent[1]}
			close2(t, "weights", lossWeights(t, s, now), w, 1e-14)
		}
	}
}

// TestLogs: si has weights 1/L; both refuse losses that are not positive.
func TestLogs(t *testing.T) {
	close2(t, "weights", lossWeights(t, build(t, "si", nil, 2), []float64{0.5, 4}), []float64{2, 0.25}, 0)
	for _, name := range []string{"gls", "si", "dwa", "relobralo"} {
		in := &gradsurgery.Input{Tasks: []int{0, 1}, Losses: []float64{1, 0}}
		wantError(t, build(t, name, nil, 2).Weights(in, make([]float64, 2)), "task 1 is 0")
	}
}

// TestConstant: weights belong to ids, not to positions.
func TestConstant(t *testing.T) {
	s := build(t, "constant", &gradsurgery.ConstantOptions{Weights: []float64{1, 2, 3}}, 3)
	in := &gradsurgery.Input{Tasks: []int{0, 2}, Losses: []float64{1, 1}}
	w := make([]float64, 2)
	if err := s.Weights(in, w); err != nil || !slices.Equal(w, []float64{1, 3}) {
		t.Errorf("%v, %v", w, err)
	}
}

// TestUnits: what one unit sees does not reach another: two units in one method are two methods.
func TestUnits(t *testing.T) {
	for _, e := range gradsurgery.Entries() {
		if levelOf(t, e) == gradsurgery.Losses {
			continue
		}
		both, err := gradsurgery.New(e.Name, nil, 3, 2)
		if err != nil {
			t.Fatal(err)
		}
		alone := []*gradsurgery.Surgery{build(t, e.Name, nil, 3), build(t, e.Name, nil, 3)}
		for step := range uint64(6) {
			for unit := range 2 {
				r := rng.New(31).Sub("step", step, uint64(unit))
				j := normal(3, 4, &r)
				in := j.input()
				in.RNG = r
				want, _ := j.update(t, alone[unit], in)
				in.Unit = unit
				if got, _ := j.update(t, both, in); !slices.Equal(got, want) {
					t.Fatalf("%s: step %d, unit %d differs from a method of its own", e.Name, step, unit)
				}
			}
		}
	}
}

// TestDWAAbsent: a task that was away for a whole window keeps its means.
func TestDWAAbsent(t *testing.T) {
	s := build(t, "dwa", &gradsurgery.DWAOptions{Temperature: 1, Window: 1}, 2)
	for _, losses := range [][]float64{{2, 2}, {1, 2}} {
		lossWeights(t, s, losses)
	}
	for range 3 {
		in := &gradsurgery.Input{Tasks: []int{1}, Losses: []float64{2}}
		if err := s.Weights(in, make([]float64, 1)); err != nil {
			t.Fatal(err)
		}
	}
	a, b := math.Exp(0.5), math.Exp(1)
	close2(t, "weights", lossWeights(t, s, []float64{1, 2}), []float64{2 * a / (a + b), 2 * b / (a + b)}, 1e-14)
}
