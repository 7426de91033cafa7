package vec_test

import (
	"math"
	"testing"

	"artel/dtype"
	"artel/kernels/cpu/internal/vec"
	"artel/rng"
)

func draw(s *rng.Stream, n int, std float64) []float32 {
	x := make([]float32, n+2)
	for i := range x {
		x[i] = float32(std * s.Normal())
	}
	return x[1 : n+1 : n+1] // a neighbour on both sides; see guards
}

func near(t *testing.T, what string, got float32, want, scale float64) {
	t.Helper()
	if !(math.Abs(float64(got)-want) <= 1e-6*math.Max(scale, 1e-30)) {
		t.Fatalf("%s = %v, want %v", what, got, want)
	}
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// TestSets compares every loop of every set with float64 for all tail lengths.
func TestSets(t *testing.T) {
	s := rng.New(1)
	for _, set := range vec.Sets() {
		for n := 0; n < 150; n++ {
			x, y, g, u, da := draw(&s, n, 1), draw(&s, n, 1), draw(&s, n, 4), draw(&s, n, 1), draw(&s, n, 1)
			var want, size float64
			for i := range x {
				want += float64(x[i]) * float64(y[i])
				size += math.Abs(float64(x[i]) * float64(y[i]))
			}
			near(t, set.Name+" dot", set.Dot(x, y), want, size)

			z := append([]float32(nil), y...)
			set.Axpy(z, x, 0.75)
			for i := range z {
				near(t, set.Name+" axpy", z[i], float64(y[i])+0.75*float64(x[i]), math.Abs(float64(y[i]))+math.Abs(float64(x[i])))
			}
			set.Scale(z, x, -0.3)
			for i := range z {
				near(t, set.Name+" scale", z[i], float64(float32(-0.3))*float64(x[i]), math.Abs(float64(x[i])))
			}
			for i := range x {
				if i%7 == 3 {
					x[i] = 0
				}
			}
			set.ReLU(z, x)
			dx := draw(&s, n, 1)
			set.ReLUGrad(dx, x, y)
			for i := range z {
				wantZ, wantD := float32(0), float32(0)
				if x[i] > 0 {
					wantZ, wantD = x[i], y[i]
				}
				if z[i] != wantZ || dx[i] != wantD {
					t.Fatalf("%s relu(%v) = %v, its gradient of %v %v", set.Name, x[i], z[i], y[i], dx[i])
				}
			}
			const sc = 0.7
			a, dg, du := draw(&s, n, 1), draw(&s, n, 1), draw(&s, n, 1)
			set.SiluMul(a, g, u, sc)
			got := set.SiluMulGrad(dg, du, g, u, da, sc)
			want, size = 0, 0
			for i := range a {
				gi, ui, di := float64(g[i]), float64(u[i]), float64(da[i])
				sg := sigmoid(gi)
				near(t, set.Name+" silu", a[i], sc*gi*sg*ui, math.Abs(gi*ui))
				near(t, set.Name+" du", du[i], sc*di*gi*sg, math.Abs(gi*di))
				near(t, set.Name+" dg", dg[i], sc*di*ui*(sg+gi*sg*(1-sg)), math.Abs(di*ui)*3)
				want += di * gi * sg * ui
				size += math.Abs(di * gi * ui)
			}
			near(t, set.Name+" dscale", got, want, size)
		}
	}
}

func TestAdam(t *testing.T) {
	s := rng.New(2)
	c := vec.AdamStep{Scale: 0.5, L2: 0.1, B1: 0.9, NB1: 0.1, B2: 0.99, NB2: 0.01, Keep: 0.999, Rate: 0.01, Root: 1.5, Eps: 1e-8}
	for _, set := range vec.Sets() {
		for n := 0; n < 70; n++ {
			p, g, m, v := draw(&s, n, 1), draw(&s, n, 1), draw(&s, n, 1), draw(&s, n, 1)
			for i := range v {
				v[i] = v[i] * v[i]
			}
			p0, m0, v0 := append([]float32(nil), p...), append([]float32(nil), m...), append([]float32(nil), v...)
			set.Adam(p, g, m, v, &c)
			for i := range p {
				x := float64(c.Scale)*float64(g[i]) + float64(c.L2)*float64(p0[i])
				mm := float64(c.B1)*float64(m0[i]) + float64(c.NB1)*x
				vv := float64(c.B2)*float64(v0[i]) + float64(c.NB2)*x*x
				near(t, set.Name+" m", m[i], mm, 1)
				near(t, set.Name+" v", v[i], vv, 1)
				near(t, set.Name+" p", p[i], float64(c.Keep)*float64(p0[i])-float64(c.Rate)*mm/(math.Sqrt(vv)*float64(c.Root)+float64(c.Eps)), 1+math.Abs(mm)*float64(c.Rate)/math.Sqrt(vv))
			}
		}
	}
}

// TestExp states the accuracy over the whole range and the limits.
func TestExp(t *testing.T) {
	worst := 0.0
	for x := float32(-87); x < 88.7; x += 0.00137 {
		want := math.Exp(float64(x))
		worst = math.Max(worst, math.Abs(float64(vec.Exp(x))-want)/want)
	}
	if worst > 3e-7 {
		t.Errorf("relative error %v, want at most 3e-7", worst)
	}
	inf := float32(math.Inf(1))
	if vec.Exp(inf) != inf || vec.Exp(-inf) != 0 || vec.Exp(100) != inf || vec.Exp(-200) != 0 || vec.Exp(0) != 1 {
		t.Error("limits of exp")
	}
	nan := float32(math.NaN())
	for _, set := range vec.Sets() {
		a, one := make([]float32, 3), []float32{1, 1, 1}
		set.SiluMul(a, []float32{nan, inf, -100}, one, 1)
		if a[0] == a[0] || a[1] != inf || math.Abs(float64(a[2])) > 1e-40 {
			t.Errorf("%s: silu of NaN, +Inf, -100 = %v", set.Name, a)
		}
	}
}

func BenchmarkSets(b *testing.B) {
	s := rng.New(3)
	const n = 4096
	x, y, z, m, v := draw(&s, n, 1), draw(&s, n, 1), draw(&s, n, 1), draw(&s, n, 1), draw(&s, n, 0)
	c := vec.AdamStep{Scale: 1, B1: 0.9, NB1: 0.1, B2: 0.99, NB2: 0.01, Keep: 1, Rate: 1e-4, Root: 1, Eps: 1e-8}
	for _, set := range vec.Sets() {
		for name, f := range map[string]func(){
			"dot":   func() { set.Dot(x, y) },
			"axpy":  func() { set.Axpy(z, x, 1e-9) },
			"silu":  func() { set.SiluMul(z, x, y, 1) },
			"silu'": func() { set.SiluMulGrad(z, m, x, y, x, 1) },
			"adam":  func() { set.Adam(z, x, m, v, &c) },
		} {
			b.Run(set.Name+"/"+name, func(b *testing.B) {
				for i := 0; i < b.N; i++ {
					f()
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gelem/s")
			})
		}
	}
}

// TestDropout compares every set with the definition, bit for bit, for all tails and several counters.
func TestDropout(t *testing.T) {
	s := rng.New(9)
	for _, set := range vec.Sets() {
		for n := 0; n < 200; n++ {
			x, dst := draw(&s, n, 1), draw(&s, n, 1)
			key, hi, cut := s.Uint64(), s.Uint64(), uint32(s.Uint64())
			set.Dropout(dst, x, key, hi, cut, 1.25)
			for j := range dst {
				want := float32(0)
				if rng.Philox(key, hi, uint64(j/4))[j%4] >= cut {
					want = x[j] * 1.25
				}
				if dst[j] != want {
					t.Fatalf("%s: n = %d: element %d is %v, want %v", set.Name, n, j, dst[j], want)
				}
			}
		}
	}
}

// TestReLUKeepsNaN: a wrong value must stay visible.
func TestReLUKeepsNaN(t *testing.T) {
	nan := float32(math.NaN())
	for _, set := range vec.Sets() {
		x, out := []float32{1, nan, -1}, make([]float32, 3)
		set.ReLU(out, x)
		if out[0] != 1 || out[1] == out[1] || out[2] != 0 {
			t.Errorf("%s: relu(1, NaN, -1) = %v", set.Name, out)
		}
	}
}

// TestHalves compares rounding and widening of every set with package dtype, bit by bit, for all tail lengths.
func TestHalves(t *testing.T) {
	s := rng.New(3)
	special := []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.NaN()), math.Float32frombits(0x7f800001), math.Float32frombits(0xffbfffff),
		math.MaxFloat32, 1e-40, math.Float32frombits(0x3f808000), math.Float32frombits(0x3f818000), math.Float32frombits(0x3f808001)}
	for _, set := range vec.Sets() {
		for n := 0; n < 70; n++ {
			x := draw(&s, n, 1e3)
			for i := range x {
				if i%3 == n%3 {
					x[i] = special[(i+n)%len(special)]
				}
			}
			h := make([]uint16, n+2)
			h[0], h[n+1] = 7, 7
			set.Round(h[1:n+1], x)
			w := draw(&s, n, 1)
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
			g, u, da, x, y := draw(&s, n, 4), draw(&s, n, 1), draw(&s, n, 1), draw(&s, n, 1), draw(&s, n, 1)
			if n > 20 {
				g[17], u[3] = float32(math.NaN()), float32(math.Inf(1))
			}
			set.SiluHalf(h[0][:n], h[1][:n], h[2][:n], g, u)
			set.Round(h[6][:n], g)
			set.Round(h[7][:n], u)
			same(t, set.Name+" g", h[1], h[6])
			same(t, set.Name+" u", h[2], h[7])
			set.Widen(g, h[1][:n])
			set.Widen(u, h[2][:n])
			set.SiluMul(x, g, u, 1)
			set.Round(h[6][:n], x)
			same(t, set.Name+" a", h[0], h[6])
			for _, to := range [][]uint16{h[5][:n], nil} {
				got, want := set.SiluHalfGrad(h[3][:n], h[4][:n], to, h[1][:n], h[2][:n], da, 0.7), set.SiluMulGrad(x, y, g, u, da, 0.7)
				if math.Float32bits(got) != math.Float32bits(want) && got == got {
					t.Fatalf("%s n=%d: sum %v, want %v", set.Name, n, got, want)
				}
				set.Round(h[6][:n], x)
				set.Round(h[7][:n], y)
				same(t, set.Name+" dg", h[3], h[6])
				same(t, set.Name+" du", h[4], h[7])
			}
			set.SiluMul(x, g, u, 0.7)
			set.Round(h[6][:n], x)
			same(t, set.Name+" a again", h[5], h[6])
		}
	}
}

func same(t *testing.T, what string, got, want []uint16) {
	t.Helper()
	for i, w := range want {
		if got[i] != w && (dtype.FromBF16(w) == dtype.FromBF16(w) || dtype.FromBF16(got[i]) == dtype.FromBF16(got[i])) { // a NaN may have another sign
			t.Fatalf("%s: element %d of %d is %x, want %x", what, i, len(want), got[i], w)
		}
	}
}
