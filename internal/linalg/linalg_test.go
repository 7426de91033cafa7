package linalg_test

import (
	"math"
	"strings"
	"testing"

	"artel/internal/linalg"
	"artel/rng"

	"gonum.org/v1/gonum/mat"
)

// kinds are the row sets every solver must survive; each makes J [m,p] from a stream.
var kinds = []struct {
	name string
	edit func(j [][]float64, s *rng.Stream)
}{
	{"gaussian", func([][]float64, *rng.Stream) {}},
	{"conflict", func(j [][]float64, s *rng.Stream) {
		for i := range j {
			for k := range j[i] {
				j[i][k] = j[0][k]*float64(1-2*(i%2)) + 0.3*j[i][k]
			}
		}
	}},
	{"duplicate", func(j [][]float64, s *rng.Stream) {
		copy(j[len(j)-1], j[0])
		copy(j[len(j)/2], j[0])
	}},
	{"opposite", func(j [][]float64, s *rng.Stream) {
		for k, v := range j[0] {
			j[len(j)-1][k] = -v
		}
	}},
	{"zero row", func(j [][]float64, s *rng.Stream) { clear(j[len(j)/2]) }},
	{"low rank", func(j [][]float64, s *rng.Stream) {
		for i := 2; i < len(j); i++ {
			a, b := s.Normal(), s.Normal()
			for k := range j[i] {
				j[i][k] = a*j[0][k] + b*j[1][k]
			}
		}
	}},
	{"nearly dependent", func(j [][]float64, s *rng.Stream) {
		for i := 2; i < len(j); i++ {
			a, b, e := s.Normal(), s.Normal(), math.Pow(10, -9*s.Float64()-1)
			for k := range j[i] {
				j[i][k] = a*j[0][k] + b*j[1][k] + e*j[i][k]
			}
		}
	}},
	{"nearly opposite", func(j [][]float64, s *rng.Stream) {
		e := math.Pow(10, -9*s.Float64()-1)
		for k, v := range j[0] {
			j[len(j)-1][k] = -v*(1+e) + e*j[len(j)-1][k]
		}
	}},
	{"mixed scales", func(j [][]float64, s *rng.Stream) {
		for i := range j {
			f := math.Pow(10, 8*s.Float64()-4)
			for k := range j[i] {
				j[i][k] *= f
			}
		}
	}},
}

// each calls f for every kind, many shapes and three scales of the whole matrix. tol is 1e-11, or more where a Gram matrix in
// float64 does not tell the rows apart.
func each(t *testing.T, f func(t *testing.T, m int, g []float64, tol float64)) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			tol := 1e-11
			if strings.HasPrefix(kind.name, "nearly") {
				tol = 5e-6
			}
			for seed := range uint64(40) {
				s := rng.New(seed).Sub("linalg")
				m, p := 1+s.Intn(10), 1+s.Intn(14)
				if seed >= 38 {
					m, p = 64, 90
				}
				for _, scale := range []float64{1, 1e-10, 1e10} {
					s := s
					f(t, m, gram(m, p, scale, kind.edit, &s), tol)
				}
			}
		})
	}
}

func gram(m, p int, scale float64, edit func([][]float64, *rng.Stream), s *rng.Stream) []float64 {
	j := make([][]float64, m)
	for i := range j {
		j[i] = make([]float64, p)
		for k := range j[i] {
			j[i][k] = s.Normal()
		}
	}
	if m > 1 {
		edit(j, s)
	}
	g := make([]float64, m*m)
	for i := range j {
		for k := range j {
			g[i*m+k] = linalg.Dot(j[i], j[k]) * scale * scale
		}
	}
	return g
}

// gradient returns (G a)_i and the sum of the sizes of its terms.
func gradient(g, a []float64, i int) (v, mag float64) {
	for k, x := range a {
		v += g[i*len(a)+k] * x
		mag += math.Abs(g[i*len(a)+k] * x)
	}
	return v, mag
}

func TestMinNormKKT(t *testing.T) {
	each(t, func(t *testing.T, m int, g []float64, tol float64) {
		a := make([]float64, m)
		q, err := linalg.NewMinNorm(m).Solve(g, a)
		if err != nil {
			t.Fatal(err)
		}
		var sum, size float64
		for i, x := range a {
			if !(x >= 0) {
				t.Fatalf("m=%d: weight %v", m, x)
			}
			sum += x
			size += x * math.Sqrt(g[i*m+i])
		}
		if math.Abs(sum-1) > 1e-14*float64(m) {
			t.Fatalf("m=%d: weights sum to %v", m, sum)
		}
		for i := range a { // the support plane through the point: g_i . d >= |d|^2, to the rounding of the terms
			v, mag := gradient(g, a, i)
			if v < q-tol*(mag+size*size) {
				t.Fatalf("m=%d: product %d is %v under the norm %v (terms %v)", m, i, v, q, mag)
			}
		}
	})
}

func TestBoundQPKKT(t *testing.T) {
	each(t, func(t *testing.T, m int, g []float64, tol float64) {
		s := rng.New(uint64(m)).Sub("bounds")
		l, v := make([]float64, m), make([]float64, m)
		for i := range l {
			if l[i] = s.Float64(); s.Intn(3) == 0 {
				l[i] = 0
			}
		}
		if err := linalg.NewBoundQP(m).Solve(g, l, v); err != nil {
			t.Fatal(err)
		}
		for i := range v {
			grad, mag := gradient(g, v, i)
			if v[i] < l[i] || grad < -tol*mag || (v[i] > l[i] && grad > tol*mag) {
				t.Fatalf("m=%d: v[%d] = %v, bound %v, gradient %v of terms %v", m, i, v[i], l[i], grad, mag)
			}
		}
	})
}

func TestBalance(t *testing.T) {
	each(t, func(t *testing.T, m int, g []float64, tol float64) {
		a, v := make([]float64, m), make([]float64, m)
		q, err := linalg.NewMinNorm(m).Solve(g, v)
		if err != nil {
			t.Fatal(err)
		}
		near, mag := 0.0, 0.0 // how close a convex combination comes to 0
		for i := range v {
			mag += v[i] * math.Sqrt(g[i*m+i])
		}
		near = q / (mag * mag)
		for _, p := range []float64{0.5, 1, 2, 4} {
			err := linalg.NewBalance(m).Solve(g, p, a)
			if err != nil && near > 1e-8 {
				t.Fatalf("m=%d p=%v: %v, although the hull stays away from 0 by %v", m, p, err, near)
			}
			if err == nil && near < 1e-20 {
				t.Fatalf("m=%d p=%v: solved a problem without solution", m, p)
			}
			if err != nil {
				continue
			}
			for i, x := range a {
				v, mag := gradient(g, a, i)
				if want := math.Pow(x, -1/p); !(math.Abs(v-want) <= 10*tol*(mag+want)) {
					t.Fatalf("m=%d p=%v: (G a)_%d = %v, a^(-1/p) = %v", m, p, i, v, want)
				}
			}
		}
	})
}

func TestNNQP(t *testing.T) {
	q := linalg.NewNNQP(3)
	z := make([]float64, 3)
	h := []float64{1, -1, 0, -1, 1, 0, 0, 0, 2}
	if err := q.Solve(h, []float64{1, -1, 1}, nil, z); err != nil || !near(z[2], 0.5, 1e-15) || !near(z[0]-z[1], 1, 1e-11) {
		t.Errorf("%v, %v", err, z)
	}
	h[8] = 0
	if err := q.Solve(h, []float64{1, -1, 1}, nil, z); err == nil {
		t.Error("an objective that falls forever was minimised")
	}
	if err := q.Solve(h, []float64{1, -1, 0}, nil, z); err != nil || z[2] != 0 {
		t.Errorf("an axis without effect: %v, %v", err, z)
	}
	if err := q.Solve([]float64{1, -2, 0, -2, 1, 0, 0, 0, 1}, []float64{1, 1, 1}, nil, z); err == nil {
		t.Error("an indefinite matrix was accepted")
	}
}

func near(x, y, tol float64) bool { return math.Abs(x-y) <= tol }

func TestProjectSimplex(t *testing.T) {
	s := rng.New(5)
	scratch := make([]float64, 64)
	for range 300 {
		x := make([]float64, 1+s.Intn(64))
		for i := range x {
			x[i] = s.Normal() * 2
		}
		p := append([]float64(nil), x...)
		linalg.ProjectSimplex(p, scratch)
		// The projection is max(0, x - c) for one c with sum 1.
		var sum float64
		shift := math.NaN()
		for i, v := range p {
			sum += v
			if v > 0 {
				if c := x[i] - v; shift == shift && math.Abs(c-shift) > 1e-14 {
					t.Fatalf("shifts %v and %v", c, shift)
				} else {
					shift = c
				}
			}
		}
		for i, v := range p {
			if v < 0 || (v == 0 && x[i]-shift > 1e-14) {
				t.Fatalf("x %v -> %v with shift %v", x[i], v, shift)
			}
		}
		if math.Abs(sum-1) > 1e-13 {
			t.Fatalf("sum %v", sum)
		}
	}
}

func TestCholeskyUpdates(t *testing.T) {
	s := rng.New(11)
	const n = 20
	g := gram(n, 25, 1, kinds[0].edit, &s)
	c := linalg.NewCholesky(n)
	var idx []int
	for range 400 {
		if len(idx) > 0 && s.Intn(5) < 2 {
			k := s.Intn(len(idx))
			c.Remove(k)
			idx = append(idx[:k], idx[k+1:]...)
		} else if j := s.Intn(n); !contains(idx, j) {
			row := make([]float64, len(idx)+1)
			for i, k := range idx {
				row[i] = g[j*n+k]
			}
			row[len(idx)] = g[j*n+j]
			if !c.Append(row, 1e-13) {
				t.Fatal("an independent row was refused")
			}
			idx = append(idx, j)
		}
		want, b := make([]float64, len(idx)), make([]float64, len(idx))
		for i := range want {
			want[i] = s.Normal()
		}
		for i, k := range idx {
			for l, o := range idx {
				b[i] += g[k*n+o] * want[l]
			}
		}
		c.Solve(b)
		for i := range want {
			if math.Abs(b[i]-want[i]) > 1e-9 {
				t.Fatalf("solution %v, want %v", b[i], want[i])
			}
		}
	}
	if c.Factor([]float64{1, 2, 2, 1}, 2, 1e-13) {
		t.Error("an indefinite matrix was factored")
	}
	if c.Factor([]float64{1, 2, 2, 4}, 2, 1e-13) {
		t.Error("a singular matrix was factored")
	}
}

func contains(s []int, v int) bool {
	for _, x := range s {
		if x == v {
			return true
		}
	}
	return false
}

func TestEigenAgainstGonum(t *testing.T) {
	each(t, func(t *testing.T, m int, g []float64, _ float64) {
		d := make([]float64, m)
		v, err := linalg.NewEigen(m).Solve(g, d)
		if err != nil {
			t.Fatal(err)
		}
		var ref mat.EigenSym
		if !ref.Factorize(mat.NewSymDense(m, append([]float64(nil), g...)), false) {
			t.Fatal("gonum failed")
		}
		want := ref.Values(nil)
		tol := 1e-13 * float64(m) * math.Abs(want[m-1]) // backward stable, so the kind does not matter
		sorted := append([]float64(nil), d...)
		for i := range sorted {
			for k := i + 1; k < m; k++ {
				if sorted[k] < sorted[i] {
					sorted[i], sorted[k] = sorted[k], sorted[i]
				}
			}
			if math.Abs(sorted[i]-want[i]) > tol {
				t.Fatalf("m=%d: eigenvalue %d is %v, gonum says %v", m, i, sorted[i], want[i])
			}
		}
		for a := range m { // A v = d v and V^T V = 1
			for b := range m {
				var av, vv float64
				for k := range m {
					av += g[a*m+k] * v[k*m+b]
					vv += v[k*m+a] * v[k*m+b]
				}
				if math.Abs(av-d[b]*v[a*m+b]) > tol {
					t.Fatalf("m=%d: A v - d v = %v", m, av-d[b]*v[a*m+b])
				}
				if want := b2f(a == b); math.Abs(vv-want) > 1e-13*float64(m) {
					t.Fatalf("m=%d: V^T V[%d,%d] = %v", m, a, b, vv)
				}
			}
		}
	})
	if _, err := linalg.NewEigen(1).Solve([]float64{math.NaN()}, []float64{0}); err == nil {
		t.Error("NaN was accepted")
	}
}

func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func TestPseudoSolveAgainstGonum(t *testing.T) {
	s := rng.New(3)
	for _, kind := range []int{0, 2, 4, 5} {
		for range 30 {
			m, p := 2+s.Intn(8), 1+s.Intn(10)
			g := gram(m, p, 1, kinds[kind].edit, &s)
			b, x, d := make([]float64, m), make([]float64, m), make([]float64, m)
			for i := range b {
				b[i] = s.Normal()
			}
			rank, err := linalg.NewEigen(m).PseudoSolve(g, b, x, d, 1e-12)
			if err != nil {
				t.Fatal(err)
			}
			var svd mat.SVD
			svd.Factorize(mat.NewDense(m, m, append([]float64(nil), g...)), mat.SVDFull)
			if want := svd.Rank(1e-12); rank != want {
				t.Fatalf("rank %d, gonum says %d", rank, want)
			}
			var want mat.VecDense
			svd.SolveVecTo(&want, mat.NewVecDense(m, b), rank)
			for i := range x {
				if e := math.Abs(x[i] - want.AtVec(i)); e > 1e-8*(1+mat.Norm(&want, 2)) {
					t.Fatalf("x[%d] = %v, gonum says %v", i, x[i], want.AtVec(i))
				}
			}
		}
	}
}

func TestNoAllocations(t *testing.T) {
	s := rng.New(9)
	const m = 8
	g := gram(m, 10, 1, kinds[1].edit, &s)
	a, b, d := make([]float64, m), make([]float64, m), make([]float64, m)
	mn, bq, eg := linalg.NewMinNorm(m), linalg.NewBoundQP(m), linalg.NewEigen(m)
	for i := range b {
		b[i] = 0.1
	}
	if n := testing.AllocsPerRun(20, func() {
		mn.Solve(g, a)
		bq.Solve(g, b, a)
		linalg.ProjectSimplex(a, d)
		eg.PseudoSolve(g, b, a, d, 1e-12)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
