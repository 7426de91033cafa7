package vec_test

import (
	"math"
	"testing"

	"artel/kernels/cpu/internal/vec"
	"artel/rng"
)

const guard = 0x1.2b3c4p100

// draw returns slices of n normal numbers with guards on both sides, and the memory they lie in.
func draw(s *rng.Stream, slices, n int, std float64) (v, memory [][]float32) {
	for range slices {
		m := make([]float32, n+2)
		m[0], m[n+1] = guard, guard
		for i := 1; i <= n; i++ {
			m[i] = float32(std * s.Normal())
		}
		v, memory = append(v, m[1:n+1:n+1]), append(memory, m)
	}
	return v, memory
}

func clone(v [][]float32) (out, memory [][]float32) {
	for _, m := range v {
		c := append([]float32(nil), m...)
		out, memory = append(out, c[1:len(c)-1:len(c)-1]), append(memory, c)
	}
	return out, memory
}

// TestLoops compares every loop of every set with its definition in float64, for all lengths of the last vector.
func TestLoops(t *testing.T) {
	s := rng.New(1)
	for _, c := range cases() {
		for n := 0; n < 150; n++ {
			start, memory := draw(&s, c.slices, n, 1.5)
			for _, set := range vec.Sets() {
				v, mem := clone(memory)
				got := c.run(set, v)
				sums, size := make([]float64, len(got)), make([]float64, len(got))
				e := make([]float64, c.slices)
				for i := range n {
					for k := range e {
						e[k] = float64(start[k][i])
					}
					after, terms, rough := c.want(e)
					for k, w := range after {
						if !(math.Abs(float64(v[k][i])-w) <= 1e-6*rough) {
							t.Fatalf("%s %s n=%d: slice %d [%d] = %v, want %v (from %v)", set.Name, c.name, n, k, i, v[k][i], w, e)
						}
					}
					for k, w := range terms {
						sums[k] += w
						size[k] += 1 + math.Abs(w)
					}
				}
				for k, w := range sums {
					if !(math.Abs(float64(got[k])-w) <= 1e-6*size[k]) {
						t.Fatalf("%s %s n=%d: sum %d = %v, want %v", set.Name, c.name, n, k, got[k], w)
					}
				}
				for k, m := range mem {
					if m[0] != guard || m[n+1] != guard {
						t.Fatalf("%s %s n=%d: wrote past slice %d", set.Name, c.name, n, k)
					}
				}
			}
		}
	}
}

// special numbers: ends, borders of formulas, denormal numbers.
var special = []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 1, -1, 0.625, -0.625, 88.7, 88.8, -87.5,
	-103.9, -104.1, 1e-40, -1e-40, 1e-45, 1e38, -3e38, 3e-39, 1e10, -1e10, 14.1, -14.1, 15, -16, 1e-20, -2e-30, 0.70710677, 1.4142135}

// TestSameBits: all sets give the same bits, for ordinary numbers of all sizes and for special ones.
func TestSameBits(t *testing.T) {
	sets, s := vec.Sets(), rng.New(2)
	if len(sets) == 1 {
		t.Skip("there is plain Go only: nothing to compare")
	}
	for _, c := range cases() {
		for n := range 150 {
			_, start := draw(&s, c.slices, n, []float64{1, 20, 1e-3}[n%3])
			for k := range start {
				for i := 1; i <= n && n%4 == 3; i++ {
					if s.Intn(3) == 0 {
						start[k][i] = special[s.Intn(len(special))]
					} else if s.Intn(2) == 0 {
						start[k][i] = math.Float32frombits(uint32(s.Uint64()))
					}
				}
			}
			first, memory := clone(start)
			sums := c.run(sets[len(sets)-1], first)
			for _, set := range sets[:len(sets)-1] {
				v, mem := clone(start)
				got := c.run(set, v)
				for k := range mem {
					for i := range mem[k] {
						if !same(mem[k][i], memory[k][i]) {
							t.Fatalf("%s %s n=%d: slice %d [%d] = %v, in Go %v (from %v)", set.Name, c.name, n, k, i, mem[k][i], memory[k][i], at(start, i))
						}
					}
				}
				for k := range got {
					if !same(got[k], sums[k]) {
						t.Fatalf("%s %s n=%d: sum %d = %v, in Go %v", set.Name, c.name, n, k, got[k], sums[k])
					}
				}
			}
		}
	}
}

// same compares bits; any NaN is like any other.
func same(x, y float32) bool {
	return math.Float32bits(x) == math.Float32bits(y) || x != x && y != y
}

func at(v [][]float32, i int) (e []float32) {
	for _, m := range v {
		e = append(e, m[i])
	}
	return e
}

// TestMax covers what the other cases cannot say: a largest element is no sum.
func TestMax(t *testing.T) {
	s := rng.New(4)
	for _, set := range vec.Sets() {
		for n := range 100 {
			v, _ := draw(&s, 1, n, 1)
			want := float32(math.Inf(-1))
			for i, x := range v[0] {
				if i%5 == 2 {
					v[0][i] = float32(math.NaN())
					continue
				}
				want = max(want, x)
			}
			if got := set.Max(v[0]); got != want {
				t.Fatalf("%s n=%d: largest %v, want %v", set.Name, n, got, want)
			}
		}
	}
}

// TestInners: inner products of several rows have the bits of those of two.
func TestInners(t *testing.T) {
	s := rng.New(5)
	for _, set := range vec.Sets() {
		if set.Inner4 == nil || set.Inner4x2 == nil {
			continue
		}
		for n := range 150 {
			v, _ := draw(&s, 6, n, 1)
			var got [18]float32
			got[0], got[1], got[2], got[3], got[4], got[5], got[6], got[7], got[8], got[9] = set.Inner4(v[0], v[1], v[2], v[3])
			got[10], got[11], got[12], got[13], got[14], got[15], got[16], got[17] = set.Inner4x2(v[0], v[1], v[2], v[3], v[4], v[5])
			k := 0
			check := func(x, y []float32) {
				if want := set.Inner(x, y); !same(got[k], want) {
					t.Fatalf("%s n=%d: inner product %d is %v, want %v", set.Name, n, k, got[k], want)
				}
				k++
			}
			for i := range 4 {
				for j := range i + 1 {
					check(v[i], v[j])
				}
			}
			for i := range 4 {
				check(v[i], v[4])
				check(v[i], v[5])
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

// TestDropout compares every set with the definition, bit for bit, for all tails and several counters.
func TestDropout(t *testing.T) {
	s := rng.New(9)
	for _, set := range vec.Sets() {
		for n := range 200 {
			v, _ := draw(&s, 2, n, 1)
			dst, x := v[0], v[1]
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

func BenchmarkLoops(b *testing.B) {
	s := rng.New(3)
	const n = 4096
	for _, c := range cases() {
		for _, set := range vec.Sets() {
			b.Run(c.name+"/"+set.Name, func(b *testing.B) {
				v, _ := draw(&s, c.slices, n, 1)
				for range b.N {
					c.run(set, v)
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gelem/s")
			})
		}
	}
}
