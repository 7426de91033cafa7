package vec_test

import (
	"flag"
	"math"
	"testing"

	"artel/kernels/cpu/internal/vec"
)

var exhaustive = flag.Bool("exhaustive", false, "try every float32 instead of a dense sample")

// unary is a function of one variable and the error in units of the last place that it may have, at least what doc.go states.
type unary struct {
	name string
	run  func(s *vec.Set) func(dst, x []float32)
	f    func(x float64) float64
	ulps float64
	lo   float64 // where the bound holds; under it the error is less than the smallest normal number
}

func gelu(x float64) float64 { return x * 0.5 * math.Erfc(-x/math.Sqrt2) }

func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// byOne makes a gradient with a cotangent of ones a function of one variable.
func byOne(f func(dx, x, dy []float32)) func(dst, x []float32) {
	ones := make([]float32, 1<<14)
	for i := range ones {
		ones[i] = 1
	}
	return func(dst, x []float32) { f(dst, x, ones[:len(x)]) }
}

func bell(x float64) float64 { return math.Exp(-math.Abs(x)) / math.Pow(1+math.Exp(-math.Abs(x)), 2) }

type loop1 = func(dst, x []float32)

var unaries = []unary{
	{"exp", func(s *vec.Set) loop1 { return s.Exp }, math.Exp, 1, math.Inf(-1)},
	{"log", func(s *vec.Set) loop1 { return s.Log }, math.Log, 1, math.Inf(-1)},
	{"sigmoid", func(s *vec.Set) loop1 { return s.Sigmoid }, sigmoid, 2.5, math.Inf(-1)},
	{"tanh", func(s *vec.Set) loop1 { return s.Tanh }, math.Tanh, 1.5, math.Inf(-1)},
	{"softplus", func(s *vec.Set) loop1 { return s.Softplus }, softplus, 3, math.Inf(-1)},
	{"gelu", func(s *vec.Set) loop1 { return s.GELU }, gelu, 7, -13},
	{"silu", func(s *vec.Set) loop1 { return s.SiLU }, func(x float64) float64 { return x * sigmoid(x) }, 3.5, -87},
	{"exp'", func(s *vec.Set) loop1 { return byOne(s.ExpGrad) }, math.Exp, 1, math.Inf(-1)},
	{"sigmoid'", func(s *vec.Set) loop1 { return byOne(s.SigmoidGrad) }, bell, 4.5, math.Inf(-1)},
	{"tanh'", func(s *vec.Set) loop1 { return byOne(s.TanhGrad) }, func(x float64) float64 { return 4 * bell(2*x) }, 4.5, math.Inf(-1)},
	{"softplus'", func(s *vec.Set) loop1 { return byOne(s.SoftplusGrad) }, sigmoid, 2.5, math.Inf(-1)},
}

// TestULP sweeps float32: the error of every function in every set stays within its bound.
func TestULP(t *testing.T) {
	step := uint32(10007)
	if testing.Short() {
		step = 100003
	}
	if *exhaustive {
		step = 1
	}
	const run = 1 << 14
	x, y := make([]float32, 0, run), make([]float32, run)
	for i, set := range vec.Sets() {
		if i > 0 && *exhaustive {
			break // TestSameBits stands for the others
		}
		for _, u := range unaries {
			f := u.run(set)
			worst, at, tiny := 0.0, float32(0), 0.0
			for b := uint64(0); b < 1<<32; {
				for x = x[:0]; len(x) < run && b < 1<<32; b += uint64(step) {
					x = append(x, math.Float32frombits(uint32(b)))
				}
				f(y[:len(x)], x)
				for j, v := range x {
					want := u.f(float64(v))
					if float64(v) < u.lo {
						if want != want && y[j] != y[j] { // of -Inf
							continue
						}
						tiny = max(tiny, math.Abs(float64(y[j])-want))
						continue
					}
					if e := ulps(y[j], want); e > worst {
						worst, at = e, v
					}
				}
			}
			t.Logf("%s %s: %.2f ulp at %v, %.2g in the tail", set.Name, u.name, worst, at, tiny)
			if worst > u.ulps || !(tiny <= 0x1p-126) {
				t.Errorf("%s %s(%v) is off by %.2f units of the last place, want at most %v; %g in the tail", set.Name, u.name, at, worst, u.ulps, tiny)
			}
		}
	}
}

// ulps is the distance of got from want in units of the last place of want as a float32.
func ulps(got float32, want float64) float64 {
	w := float32(want)
	switch {
	case want != want || got != got:
		if want != want && got != got {
			return 0
		}
		return math.Inf(1)
	case math.IsInf(float64(w), 0) || math.IsInf(float64(got), 0):
		if got == w {
			return 0
		}
		return math.Inf(1)
	}
	_, e := math.Frexp(want)
	return math.Abs(float64(got)-want) / math.Ldexp(1, max(e-24, -149))
}
