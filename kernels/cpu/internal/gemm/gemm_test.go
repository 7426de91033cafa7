package gemm

import (
	"fmt"
	"math"
	"testing"

	"artel/rng"
)

// random returns a rows x cols matrix with a gap after every row, or its transpose as a view.
func random(s *rng.Stream, rows, cols int, transposed bool) Mat {
	if transposed {
		return random(s, cols, rows, false).T()
	}
	p := make([]float32, rows*(cols+3)+1)
	for i := range p {
		p[i] = float32(s.Normal())
	}
	return Mat{p, cols + 3, 1}
}

// TestAgainstFloat64 covers every tile height and edge, both orders of both operands, several depths, bias and accumulation.
func TestAgainstFloat64(t *testing.T) {
	s := rng.New(1)
	for _, v := range Variants() {
		for _, m := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 17, 25, 50} {
			for _, n := range []int{1, 2, 15, 16, 17, 31, 32, 33, 65} {
				for _, k := range []int{0, 1, 2, 7, 64, 257} {
					for mode := 0; mode < 4; mode++ {
						check(t, v, &s, m, n, k, mode)
					}
				}
			}
		}
	}
}

func check(t *testing.T, v *Variant, s *rng.Stream, m, n, k, mode int) {
	t.Helper()
	p := Product{M: m, N: n, K: k, A: random(s, m, k, mode&1 != 0), B: random(s, k, n, mode&2 != 0), LDC: n + 5, Acc: (m+n+k)%2 == 0}
	p.C = make([]float32, m*p.LDC)
	for i := range p.C {
		p.C[i] = float32(s.Normal())
	}
	if n%3 == 0 {
		p.Bias = random(s, 1, n, false).P[:n]
	}
	start := append([]float32(nil), p.C...)
	var sc Scratch
	for i := range sc.panel {
		sc.panel[i] = float32(math.NaN()) // stale contents must not show
	}
	for j := 0; j < Panels(n); j++ {
		v.Run(&p, j, 0, m, &sc)
	}
	for i := 0; i < m; i++ {
		for j := 0; j < p.LDC; j++ {
			got := float64(p.C[i*p.LDC+j])
			if j >= n {
				if got != float64(start[i*p.LDC+j]) {
					t.Fatalf("%s m=%d n=%d k=%d mode=%d: wrote outside at (%d,%d)", v.Name, m, n, k, mode, i, j)
				}
				continue
			}
			want, scale := 0.0, 1.0
			for l := 0; l < k; l++ {
				x := float64(p.A.P[i*p.A.RS+l*p.A.CS]) * float64(p.B.P[l*p.B.RS+j*p.B.CS])
				want += x
				scale += math.Abs(x)
			}
			if p.Bias != nil {
				want += float64(p.Bias[j])
			}
			if p.Acc {
				want += float64(start[i*p.LDC+j])
			}
			if !(math.Abs(got-want) <= 1e-6*scale) {
				t.Fatalf("%s m=%d n=%d k=%d mode=%d: C[%d,%d] = %v, want %v", v.Name, m, n, k, mode, i, j, got, want)
			}
		}
	}
}

// TestRowsDoNotMatter checks that cutting the rows differently gives the same bits: sums run over k in one order.
func TestRowsDoNotMatter(t *testing.T) {
	s := rng.New(2)
	for _, v := range Variants() {
		p := Product{M: 37, N: 40, K: 300, A: random(&s, 37, 300, false), B: random(&s, 300, 40, false), LDC: 40}
		a, b := make([]float32, 37*40), make([]float32, 37*40)
		var sc Scratch
		for j := 0; j < Panels(40); j++ {
			p.C = a
			v.Run(&p, j, 0, 37, &sc)
			p.C = b
			for lo := 0; lo < 37; lo += 5 {
				v.Run(&p, j, lo, min(lo+5, 37), &sc)
			}
		}
		for i := range a {
			if a[i] != b[i] {
				t.Fatalf("%s: element %d differs", v.Name, i)
			}
		}
	}
}

func BenchmarkGEMM(b *testing.B) {
	s := rng.New(3)
	for _, v := range Variants() {
		for _, d := range [][3]int{{512, 512, 512}, {1024, 1024, 1024}, {256, 512, 128}, {64, 1024, 512}} {
			for _, tr := range []string{"NN", "NT", "TN"} {
				if v.Name == "go" && (tr != "NN" || d[0] != 256) {
					continue
				}
				m, n, k := d[0], d[1], d[2]
				b.Run(fmt.Sprintf("%s/%s/%dx%dx%d", v.Name, tr, m, n, k), func(b *testing.B) {
					p := Product{M: m, N: n, K: k, A: random(&s, m, k, tr == "TN"), B: random(&s, k, n, tr == "NT"), LDC: n, C: make([]float32, m*n)}
					var sc Scratch
					b.ResetTimer()
					for i := 0; i < b.N; i++ {
						for j := 0; j < Panels(n); j++ {
							v.Run(&p, j, 0, m, &sc)
						}
					}
					b.ReportMetric(2*float64(m*n*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}
