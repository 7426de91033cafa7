package gradsurgery_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"artel/gradsurgery"
	"artel/internal/linalg"
	"artel/rng"
)

// kinds of task gradients on which every claim must hold; the first two are regular.
var kinds = []struct {
	name string
	edit func(j rows, s *rng.Stream)
}{
	{"gaussian", func(rows, *rng.Stream) {}},
	{"conflict", func(j rows, s *rng.Stream) {
		for i := range j {
			for k := range j[i] {
				j[i][k] = j[0][k]*float64(1-2*(i%2)) + 0.3*j[i][k]
			}
		}
	}},
	{"duplicate", func(j rows, s *rng.Stream) { copy(j[len(j)-1], j[0]) }},
	{"opposite", func(j rows, s *rng.Stream) { copy(j[len(j)-1], rows{j[0]}.scaled(-1)[0]) }},
	{"zero row", func(j rows, s *rng.Stream) { clear(j[len(j)/2]) }},
	{"all zero", func(j rows, s *rng.Stream) {
		for i := range j {
			clear(j[i])
		}
	}},
	{"nearly opposite", func(j rows, s *rng.Stream) {
		for k, v := range j[0] {
			j[len(j)-1][k] = -v + 1e-3*j[len(j)-1][k]
		}
	}},
	{"mixed scales", func(j rows, s *rng.Stream) {
		for i := range j {
			copy(j[i], rows{j[i]}.scaled(math.Pow(10, 4*s.Float64()-2))[0])
		}
	}},
}

// samples calls f with every kind, several shapes and scales.
func samples(seeds int, scales []float64, f func(id string, j rows, s rng.Stream)) {
	for _, kind := range kinds {
		for seed := range uint64(seeds) {
			s := rng.New(seed).Sub("traits")
			m, p := 1+s.Intn(8), 1+s.Intn(12)
			if seed < 4 { // claims that hold for two tasks only must not pass as general, nor those for independent rows
				m, p = 3+s.Intn(6), 2+s.Intn(2)
			}
			j := normal(m, p, &s)
			if m > 1 {
				kind.edit(j, &s)
			}
			for _, scale := range scales {
				f(fmt.Sprintf("%s, seed %d, %dx%d, scale %g", kind.name, seed, m, p, scale), j.scaled(scale), s)
			}
		}
	}
}

// run returns the update and weights of a default method, or false where the method reports that it has no answer. A method with
// memory has seen the same input twice before.
func run(t *testing.T, e gradsurgery.Entry, id string, j rows, in *gradsurgery.Input) (g, w []float64, size float64, ok bool) {
	t.Helper()
	s := build(t, e.Name, nil, len(j))
	if s.Needs.Level == gradsurgery.TaskGradients {
		g, size = j.update(t, s, in)
		return g, nil, size, true
	}
	calls := 1
	if len(s.State()) > 0 {
		calls = 3
	}
	var combined rows
	for range calls {
		var err error
		if combined, w, err = j.step(s, in); err != nil {
			var none *linalg.Error
			if !errors.As(err, &none) {
				t.Errorf("%s: %v", id, err)
			}
			return nil, nil, 0, false
		}
		if s.Needs.AfterStep {
			if err := s.AfterStep(in.Tasks, in.Losses); err != nil {
				t.Fatal(err)
			}
		}
	}
	g, size = combined.times(w)
	return g, w, size, true
}

func away(g, h []float64, size float64) float64 {
	var worst float64
	for p := range g {
		worst = max(worst, math.Abs(g[p]-h[p]))
	}
	if size == 0 {
		return worst
	}
	return worst / size
}

// trait is a claim and how far a sample violates it, relative to the size of the terms of the update.
type trait struct {
	name    string
	claimed func(gradsurgery.Traits) bool
	tol     float64
	violate func(t *testing.T, e gradsurgery.Entry, id string, j rows, s *rng.Stream) float64
}

var traits = []trait{
	{"non-conflicting", func(c gradsurgery.Traits) bool { return c.NonConflicting }, 1e-9,
		func(t *testing.T, e gradsurgery.Entry, id string, j rows, s *rng.Stream) (worst float64) {
			g, _, size, ok := run(t, e, id, j, j.input())
			if !ok {
				return 0
			}
			for _, row := range j {
				if n := norm(row); n > 0 && size > 0 {
					worst = max(worst, -dot(row, g)/n/size)
				}
			}
			return worst
		}},
	{"linear under scaling", func(c gradsurgery.Traits) bool { return c.LinearUnderScaling }, 1e-9,
		func(t *testing.T, e gradsurgery.Entry, id string, j rows, s *rng.Stream) float64 {
			a, b, ab := make([]float64, len(j)), make([]float64, len(j)), make([]float64, len(j))
			for i := range j {
				a[i], b[i] = 0.1+s.Float64(), 0.1+s.Float64()
				ab[i] = 2*a[i] + 3*b[i]
			}
			in := j.input()
			call := func(c []float64) ([]float64, float64, bool) {
				scaled, cin := j.scaled(c...), *in
				cin.Gram, cin.Losses = scaled.gram(), make([]float64, len(j))
				cin.Cross = cin.Gram
				for i, l := range in.Losses {
					cin.Losses[i] = c[i] * l
				}
				g, _, size, ok := run(t, e, id, scaled, &cin)
				return g, size, ok
			}
			ga, _, ok1 := call(a)
			gb, _, ok2 := call(b)
			gab, size, ok3 := call(ab)
			if !ok1 || !ok2 || !ok3 {
				return 0
			}
			for p := range ga {
				ga[p] = 2*ga[p] + 3*gb[p]
			}
			return away(ga, gab, size)
		}},
	{"permutation equivariant", func(c gradsurgery.Traits) bool { return c.PermutationEquivariant }, 1e-7,
		func(t *testing.T, e gradsurgery.Entry, id string, j rows, s *rng.Stream) float64 {
			perm := make([]int, len(j))
			s.Perm(perm)
			in := j.input()
			g, _, size, ok := run(t, e, id, j, in)
			pj := make(rows, len(j))
			pin := *in
			pin.Losses = make([]float64, len(j))
			for i, k := range perm {
				pj[i], pin.Losses[i] = j[k], in.Losses[k]
			}
			pin.Gram = pj.gram()
			pin.Cross = pin.Gram
			h, _, _, ok2 := run(t, e, id, pj, &pin)
			if !ok || !ok2 {
				return 0
			}
			return away(g, h, size)
		}},
	{"scale invariant", func(c gradsurgery.Traits) bool { return c.ScaleInvariant }, 1e-6,
		func(t *testing.T, e gradsurgery.Entry, id string, j rows, s *rng.Stream) (worst float64) {
			in := j.input()
			g, _, size, ok := run(t, e, id, j, in)
			factors := []float64{0x1p40, 0x1p-40}
			if levelOf(t, e) == gradsurgery.Losses {
				factors = []float64{4, 0.25} // an eps beside losses, as in FAMO's paper, is part of the rule
			}
			for _, f := range factors {
				sj, sin := j.scaled(f), *in
				sin.Gram, sin.Losses = sj.gram(), rows{in.Losses}.scaled(f)[0]
				sin.Cross = sin.Gram
				h, _, hs, ok2 := run(t, e, id, sj, &sin)
				if !ok || !ok2 {
					continue
				}
				for p := range h {
					h[p] /= f
				}
				worst = max(worst, away(g, h, max(size, hs/f)))
			}
			return worst
		}},
	{"in row span", func(c gradsurgery.Traits) bool { return c.InRowSpan }, 1e-6,
		func(t *testing.T, e gradsurgery.Entry, id string, j rows, s *rng.Stream) float64 {
			g, _, size, ok := run(t, e, id, j, j.input())
			if !ok {
				return 0
			}
			x, jg, d := make([]float64, len(j)), make([]float64, len(j)), make([]float64, len(j))
			unit := make(rows, len(j)) // unit rows span the same space and solve better
			for i, row := range j {
				unit[i] = row
				if n := norm(row); n > 0 {
					unit[i] = rows{row}.scaled(1 / n)[0]
				}
				jg[i] = dot(unit[i], g)
			}
			if _, err := linalg.NewEigen(len(j)).PseudoSolve(unit.gram(), jg, x, d, 1e-10); err != nil {
				t.Fatal(err)
			}
			in, _ := unit.times(x)
			return away(g, in, size)
		}},
	{"non-negative weights", func(c gradsurgery.Traits) bool { return c.NonNegative }, 0,
		func(t *testing.T, e gradsurgery.Entry, id string, j rows, s *rng.Stream) float64 {
			_, w, _, ok := run(t, e, id, j, j.input())
			if !ok {
				return 0
			}
			if w == nil {
				return 1
			}
			return max(0, -slices.Min(w))
		}},
	{"stationary", func(c gradsurgery.Traits) bool { return c.Stationary }, 0.5,
		func(t *testing.T, e gradsurgery.Entry, id string, j rows, s *rng.Stream) float64 {
			g, _, size, ok := run(t, e, id, j, j.input())
			v := make([]float64, len(j))
			q, err := linalg.NewMinNorm(len(j)).Solve(j.gram(), v)
			if err != nil {
				t.Fatal(err)
			}
			if _, reach := j.times(v); !ok || q <= 1e-4*reach*reach {
				return 0 // no answer, or the hull is near 0
			}
			return b2f(norm(g) <= 1e-9*size)
		}},
	{"deterministic", func(c gradsurgery.Traits) bool { return c.Deterministic }, 0,
		func(t *testing.T, e gradsurgery.Entry, id string, j rows, s *rng.Stream) float64 {
			in := j.input()
			g, _, _, ok := run(t, e, id, j, in)
			in.RNG = rng.New(s.Uint64())
			h, _, _, ok2 := run(t, e, id, j, in)
			if !ok || !ok2 {
				return 0
			}
			return away(g, h, 0)
		}},
}

func levelOf(t *testing.T, e gradsurgery.Entry) gradsurgery.Level {
	return build(t, e.Name, nil, 1).Needs.Level
}

func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// held are traits that hold in every sample and yet are no claim, with the reason.
var held = map[string]string{
	"config: stationary":               "lengths can cancel: sum_t <g_t,u> = 0 on a set of measure 0",
	"m_config: stationary":             "as config",
	"imtl_g: stationary":               "weights can cancel: sum v = 0 on a set of measure 0",
	"cosmos: non-negative weights":     "only with losses as large as these or a small lambda",
	"cosmos: stationary":               "weights can be negative",
	"pbi: non-negative weights":        "only with losses as equal as these or a small theta",
	"pbi: stationary":                  "weights can be negative",
	"cr_mogm: non-conflicting":         "weights of earlier steps conflict in later ones; the samples repeat one step",
	"cr_mogm: permutation equivariant": "as its base",
	"cr_mogm: scale invariant":         "as its base",
	"cr_mogm: non-negative weights":    "as its base",
	"cr_mogm: stationary":              "as its base",
	"cr_mogm: deterministic":           "as its base",
	"relobralo: deterministic":         "it looks back to the first step with probability 0.001",
	"softadapt: linear under scaling":  "losses change between steps; the samples repeat one step",
	"softadapt: scale invariant":       "as above",
	"trimmed_mean: stationary":         "every coordinate can be trimmed to 0 with a hull far from 0",
}

// TestTraits checks every claim of every registered method on generated task gradients, and that a trait without a claim fails in some sample or has a reason.
func TestTraits(t *testing.T) {
	for _, e := range gradsurgery.Entries() {
		t.Run(e.Name, func(t *testing.T) {
			for _, tr := range traits {
				worst, where := 0.0, ""
				samples(24, []float64{1}, func(id string, j rows, s rng.Stream) {
					if v := tr.violate(t, e, id, j, &s); !(v <= worst) {
						worst, where = v, id
					}
				})
				switch holds := worst <= tr.tol; {
				case tr.claimed(e.Traits) && !holds:
					t.Errorf("%s: claimed, but violated by %.3g (%s)", tr.name, worst, where)
				case !tr.claimed(e.Traits) && holds && held[e.Name+": "+tr.name] == "":
					t.Errorf("%s: %s: not claimed, but held in every sample: claim it, or list it above with the reason", e.Name, tr.name)
				case !holds && held[e.Name+": "+tr.name] != "":
					t.Errorf("%s: %s: listed as held, but violated by %.3g (%s)", e.Name, tr.name, worst, where)
				}
			}
		})
	}
}
