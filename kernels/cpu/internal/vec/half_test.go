package vec_test

import (
	"math"
	"testing"

	"artel/dtype"
	"artel/kernels/cpu/internal/vec"
	"artel/rng"
)

func normal(s *rng.Stream, n int, std float64) []float32 {
	v, _ := draw(s, 1, n, std)
	return v[0]
}

// TestHalves compares rounding and widening of every set with package dtype, bit by bit, for all tail lengths.
func TestHalves(t *testing.T) {
	s := rng.New(3)
	special := []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.NaN()), math.Float32frombits(0x7f800001), math.Float32frombits(0xffbfffff),
		math.MaxFloat32, 1e-40, math.Float32frombits(0x3f808000), math.Float32frombits(0x3f818000), math.Float32frombits(0x3f808001)}
	for _, set := range vec.Sets() {
		for n := 0; n < 70; n++ {
			x := normal(&s, n, 1e3)
			for i := range x {
				if i%3 == n%3 {
					x[i] = special[(i+n)%len(special)]
				}
			}
			h := make([]uint16, n+2)
			h[0], h[n+1] = 7, 7
			set.Round(h[1:n+1], x)
			w := normal(&s, n, 1)
			set.Widen(w, h[1:n+1])
			for i, v := range x {
				if want := dtype.ToBF16(v); h[i+1] != want || math.Float32bits(w[i]) != math.Float32bits(dtype.FromBF16(want)) {
					t.Fatalf("%s n=%d: %x rounds to %x, widened to %x; want %x", set.Name, n, math.Float32bits(v), h[i+1], math.Float32bits(w[i]), want)
				}
			}
			if h[0] != 7 || h[n+1] != 7 {
				t.Fatalf("%s n=%d: a neighbour was written", set.Name, n)
			}
		}
	}
}

// TestHalfGates compares the loops that unite gates and rounding with the ones that they unite, bit by bit, for all tail lengths.
func TestHalfGates(t *testing.T) {
	s := rng.New(4)
	for _, set := range vec.Sets() {
		if set.SiluHalf == nil || set.SiluHalfGrad == nil {
			continue
		}
		for n := 0; n < 70; n++ {
			var h [8][]uint16 // a, hg, hu, then dg, du, a, and two that are wanted
			for i := range h {
				h[i] = make([]uint16, n+1)
			}
			g, u, da, x, y := normal(&s, n, 4), normal(&s, n, 1), normal(&s, n, 1), normal(&s, n, 1), normal(&s, n, 1)
			if n > 20 {
				g[17], u[3] = float32(math.NaN()), float32(math.Inf(1))
			}
			set.SiluHalf(h[0][:n], h[1][:n], h[2][:n], g, u)
			set.Round(h[6][:n], g)
			set.Round(h[7][:n], u)
			sameHalves(t, set.Name+" g", h[1], h[6])
			sameHalves(t, set.Name+" u", h[2], h[7])
			set.Widen(g, h[1][:n])
			set.Widen(u, h[2][:n])
			set.SiluMul(x, g, u, 1)
			set.Round(h[6][:n], x)
			sameHalves(t, set.Name+" a", h[0], h[6])
			for _, to := range [][]uint16{h[5][:n], nil} {
				got, want := set.SiluHalfGrad(h[3][:n], h[4][:n], to, h[1][:n], h[2][:n], da, 0.7), set.SiluMulGrad(x, y, g, u, da, 0.7)
				if math.Float32bits(got) != math.Float32bits(want) && got == got {
					t.Fatalf("%s n=%d: sum %v, want %v", set.Name, n, got, want)
				}
				set.Round(h[6][:n], x)
				set.Round(h[7][:n], y)
				sameHalves(t, set.Name+" dg", h[3], h[6])
				sameHalves(t, set.Name+" du", h[4], h[7])
			}
			set.SiluMul(x, g, u, 0.7)
			set.Round(h[6][:n], x)
			sameHalves(t, set.Name+" a again", h[5], h[6])
		}
	}
}

func sameHalves(t *testing.T, what string, got, want []uint16) {
	t.Helper()
	for i, w := range want {
		if got[i] != w && (dtype.FromBF16(w) == dtype.FromBF16(w) || dtype.FromBF16(got[i]) == dtype.FromBF16(got[i])) { // a NaN may have another sign
			t.Fatalf("%s: element %d of %d is %x, want %x", what, i, len(want), got[i], w)
		}
	}
}
