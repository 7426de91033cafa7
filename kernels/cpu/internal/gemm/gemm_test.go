package gemm

import (
	"fmt"
	"math"
	"testing"

	"artel/dtype"
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
	return Mat{P: p, RS: cols + 3, CS: 1}
}

// dense is random without gaps, as weights lie.
func dense(s *rng.Stream, rows, cols int, transposed bool) Mat {
	if transposed {
		return dense(s, cols, rows, false).T()
	}
	p := make([]float32, rows*cols)
	for i := range p {
		p[i] = float32(s.Normal())
	}
	return Mat{P: p, RS: cols, CS: 1}
}

// TestAgainstFloat64 covers every tile height and edge, both orders of both operands, gathered rows and sums, several depths, bias,
// accumulation, another matrix that is added, and ReLU.
func TestAgainstFloat64(t *testing.T) {
	s := rng.New(1)
	for _, v := range withEmulation() {
		sc := stale()
		for _, m := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 133} {
			for _, n := range []int{1, 15, 17, 32, 65} {
				for _, k := range []int{0, 1, 33, 257} {
					for mode := 0; mode < 32; mode++ {
						if mode&16 != 0 && m > 1 && m%6 > 1 { // rounding does not depend on the height of a tile
							continue
						}
						if v.Name == "go" && m > 13 { // it has one tile
							continue
						}
						check(t, v, &s, sc, m, n, k, mode)
					}
				}
			}
		}
	}
}

// withEmulation adds variants that multiply bfloat16 numbers as float32 although there are instructions for them.
func withEmulation() (vs []*Variant) {
	for _, v := range Variants() {
		vs = append(vs, v)
		if v.half != nil {
			w := *v
			w.Name += " emulated"
			w.half = nil
			vs = append(vs, &w)
		}
	}
	return vs
}

// shuffled returns n indices into [0,n).
func shuffled(s *rng.Stream, n int) []int32 {
	index := make([]int32, n)
	for i := range index {
		index[i] = int32(s.Intn(n))
	}
	return index
}

// check runs one product against its definition. Bits of mode: A transposed, B transposed, rows of A indexed, k of both indexed, operands rounded.
func check(t *testing.T, v *Variant, s *rng.Stream, sc *Scratch, m, n, k, mode int) {
	t.Helper()
	p := Product{M: m, N: n, K: k, A: random(s, m, k, mode&1 != 0), B: random(s, k, n, mode&2 != 0), LDC: n + 5, Acc: (m+n+k)%2 == 0}
	if mode&4 != 0 {
		p.AI = shuffled(s, m)
	}
	if mode&8 != 0 {
		p.AK, p.BK = shuffled(s, k), shuffled(s, k)
	}
	p.C = make([]float32, m*p.LDC)
	for i := range p.C {
		p.C[i] = float32(s.Normal())
	}
	if n%3 == 0 {
		p.Bias = random(s, 1, n, false).P[:n]
	}
	if !p.Acc && n%2 == 1 {
		p.LDAdd = n + 2
		p.Add = random(s, m, n+2, false).P[1:]
	}
	p.ReLU = v.AppliesReLU() && !p.Acc && p.Add == nil && mode%3 > 0
	p.Stream, p.BF16, p.Cold = k%2 == 1, mode&16 != 0, mode%2 == 0
	number := func(x float32) float64 {
		if p.BF16 {
			x = dtype.FromBF16(dtype.ToBF16(x))
		}
		return float64(x)
	}
	start := append([]float32(nil), p.C...)
	v.Run(&p, 0, m, 0, Panels(n), sc)
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
				x := number(p.A.P[at(p.AI, i)*p.A.RS+at(p.AK, l)*p.A.CS]) * number(p.B.P[at(p.BK, l)*p.B.RS+j*p.B.CS])
				want += x
				scale += math.Abs(x)
			}
			if p.Bias != nil {
				want += float64(p.Bias[j])
			}
			if p.Acc {
				want += float64(start[i*p.LDC+j])
			}
			if p.Add != nil {
				want += float64(p.Add[i*p.LDAdd+j])
			}
			if p.ReLU {
				want = max(want, 0)
			}
			if !(math.Abs(got-want) <= 1e-6*scale) {
				t.Fatalf("%s m=%d n=%d k=%d mode=%d: C[%d,%d] = %v, want %v", v.Name, m, n, k, mode, i, j, got, want)
			}
		}
	}
}

// stale returns scratch whose old contents must not show.
func stale() *Scratch {
	sc := new(Scratch)
	for i := range sc.panel {
		sc.panel[i] = float32(math.NaN())
	}
	for i := range sc.block {
		sc.block[i] = float32(math.NaN())
	}
	return sc
}

// TestStagedRows covers strides that put all rows in the same cache sets, where A is copied first.
func TestStagedRows(t *testing.T) {
	s := rng.New(4)
	for _, v := range Variants() {
		a, b := dense(&s, 37, 1024, false), dense(&s, 1024, 70, false)
		padded := Mat{P: make([]float32, 37*1027), RS: 1027, CS: 1}
		for i := 0; i < 37; i++ {
			copy(padded.P[i*1027:i*1027+1024], a.P[i*1024:])
		}
		p := Product{M: 37, N: 70, K: 1024, A: a, B: b, C: make([]float32, 37*70), LDC: 70}
		q := p
		q.A, q.C = padded, make([]float32, 37*70)
		v.Run(&p, 0, 37, 0, 3, stale())
		v.Run(&q, 0, 37, 0, 3, stale())
		for i := range p.C {
			if p.C[i] != q.C[i] {
				t.Fatalf("%s: element %d differs", v.Name, i)
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
		p.C = a
		v.Run(&p, 0, 37, 0, 2, &sc)
		p.C = b
		for lo := 0; lo < 37; lo += 5 {
			v.Run(&p, lo, min(lo+5, 37), 0, 1, &sc)
			v.Run(&p, lo, min(lo+5, 37), 1, 2, &sc)
		}
		for i := range a {
			if a[i] != b[i] {
				t.Fatalf("%s: element %d differs", v.Name, i)
			}
		}
	}
}

// TestOneRow checks that a row alone has the bits that it has among others: many columns are computed at once then.
func TestOneRow(t *testing.T) {
	s := rng.New(6)
	for _, v := range Variants() {
		for _, k := range []int{1, 100, 2*blockK + 1} {
			const m, n = 3, 9*Panel*2 + 5
			p := Product{M: m, N: n, K: k, A: random(&s, m, k, false), B: random(&s, k, n, false), C: make([]float32, m*n), LDC: n, Bias: dense(&s, 1, n, false).P}
			for pass := 0; pass < 8; pass++ {
				switch pass {
				case 2:
					p.A = random(&s, m, k, true)
				case 4:
					p.AI = []int32{2, 0, 1}
				case 6:
					p.AI, p.Add, p.LDAdd = nil, dense(&s, m, n, false).P, n
				case 7:
					p.Add, p.ReLU = nil, v.AppliesReLU()
				}
				q := p
				q.C, q.Acc, p.Acc = append([]float32(nil), p.C...), pass%2 > 0 && pass < 6, pass%2 > 0 && pass < 6
				v.Run(&p, 0, m, 0, Panels(n), stale())
				v.Run(&q, 0, 1, 0, 5, stale())
				v.Run(&q, 0, 1, 5, Panels(n), stale())
				v.Run(&q, 1, 3, 0, Panels(n), stale())
				for i := range p.C {
					if p.C[i] != q.C[i] {
						t.Fatalf("%s k=%d pass %d: element %d differs: %v, %v", v.Name, k, pass, i, p.C[i], q.C[i])
					}
				}
			}
		}
	}
}

// TestStreams covers products that are written past the caches: whole lines, a depth that is worth it, and rows in short blocks.
func TestStreams(t *testing.T) {
	s := rng.New(5)
	for _, v := range Variants() {
		for _, k := range []int{16, shortK, shortK + 1, 2*shortK + 1, blockK, blockK + 1} {
			const m, n = 71, 96
			p := Product{M: m, N: n, K: k, A: dense(&s, m, k, true), B: dense(&s, k, n, false), C: make([]float32, 1<<14), LDC: n}
			q := p
			q.C, q.Stream = make([]float32, 1<<14), true
			v.Run(&p, 0, m, 0, Panels(n), stale())
			v.Run(&q, 0, m, 0, Panels(n), stale())
			for i := range p.C {
				if p.C[i] != q.C[i] {
					t.Fatalf("%s k=%d: element %d differs", v.Name, k, i)
				}
			}
		}
	}
}

func BenchmarkGEMM(b *testing.B) {
	s := rng.New(3)
	for _, v := range Variants() {
		for _, d := range [][3]int{{512, 512, 512}, {1024, 1024, 1024}, {4096, 1024, 512}, {256, 128, 256}, {64, 512, 1024}, {16, 512, 1024}} {
			for _, tr := range []string{"NN", "NT", "TN"} {
				if v.Name == "go" && (tr != "NN" || d[0] != 256) {
					continue
				}
				m, n, k := d[0], d[1], d[2]
				b.Run(fmt.Sprintf("%s/%s/%dx%dx%d", v.Name, tr, m, n, k), func(b *testing.B) {
					p := Product{M: m, N: n, K: k, A: dense(&s, m, k, tr == "TN"), B: dense(&s, k, n, tr == "NT"), LDC: n, C: make([]float32, m*n)}
					var sc Scratch
					b.ResetTimer()
					for i := 0; i < b.N; i++ {
						for lo := 0; lo < m; lo += MaxRows {
							v.Run(&p, lo, min(lo+MaxRows, m), 0, Panels(n), &sc)
						}
					}
					b.ReportMetric(2*float64(m*n*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}
