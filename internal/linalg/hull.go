package linalg

import "slices"

// MinNorm finds the point of smallest norm in the convex hull of n vectors that are known by their Gram matrix.
type MinNorm struct {
	cap  int
	qp   *NNQP
	h, b []float64
}

// NewMinNorm returns a solver for up to n vectors.
func NewMinNorm(n int) *MinNorm {
	return &MinNorm{cap: n, qp: NewNNQP(n), h: make([]float64, n*n), b: make([]float64, n)}
}

// Solve writes a = argmin a^T G a over the simplex (a >= 0, sum a = 1) and returns the minimum, at least 0.
//
//	G [n,n] symmetric positive semidefinite   a [n]
//
// Where several a give the same point (duplicate vectors), copies share equally; with zero vectors, equal weights on them. The method is
// the non-negative least squares form: with any s > 0, the minimiser of a^T G a + s (1 - sum a)^2 over a >= 0 is the wanted a up
// to a positive factor, because for a = t*c, c in the simplex, the best t leaves qs/(q+s), which grows with q = c^T G c.
func (m *MinNorm) Solve(g, a []float64) (float64, error) {
	n := len(a)
	check("MinNorm", n, m.cap, len(g))
	s, zeros := 0.0, 0
	for i := range n {
		switch d := g[i*n+i]; {
		case d <= 0:
			zeros++
		case s == 0 || d < s:
			s = d
		}
	}
	if zeros > 0 {
		for i := range a {
			a[i] = 0
			if g[i*n+i] <= 0 {
				a[i] = 1 / float64(zeros)
			}
		}
		return 0, nil
	}
	h, b := m.h[:n*n], m.b[:n]
	for i, v := range g {
		h[i] = v + s
	}
	for i := range b {
		b[i] = s
	}
	if err := m.qp.Solve(h, b, nil, a); err != nil {
		return 0, err
	}
	var sum float64
	for _, v := range a {
		sum += v
	}
	for i := range a {
		a[i] /= sum
	}
	return max(0, Quad(g, a)), nil
}

// BoundQP solves min v^T G v over v >= l.
type BoundQP struct {
	cap            int
	qp             *NNQP
	b, terms, base []float64
}

// NewBoundQP returns a solver for up to n variables.
func NewBoundQP(n int) *BoundQP {
	return &BoundQP{cap: n, qp: NewNNQP(n), b: make([]float64, n), terms: make([]float64, n), base: make([]float64, n)}
}

// Solve writes the minimiser to v.   G [n,n] symmetric positive semidefinite   l, v [n], which may be the same slice
//
// J^T v is the projection of J^T l on the cone {x : J x >= 0} (Quinton & Rey 2024, arXiv 2406.16232). Directions without effect
// (zero rows) stay at the bound.
func (m *BoundQP) Solve(g, l, v []float64) error {
	n := len(v)
	check("BoundQP", n, m.cap, len(g), len(l))
	b, terms := m.b[:n], m.terms[:n]
	for i := range b {
		b[i], terms[i] = 0, 0
		for k, x := range l {
			t := g[i*n+k] * x
			b[i] -= t
			terms[i] += max(t, -t)
		}
	}
	base := m.base[:n] // l survives here when v is l
	copy(base, l)
	if err := m.qp.Solve(g, b, terms, v); err != nil {
		return err
	}
	for i := range v {
		v[i] += base[i]
	}
	return nil
}

// ProjectSimplex replaces x [n] by the nearest point of the simplex {x >= 0, sum x = 1}; sorted [n] is scratch. (Held, Wolfe &
// Crowder 1974.)
func ProjectSimplex(x, sorted []float64) {
	sorted = sorted[:len(x)]
	copy(sorted, x)
	slices.Sort(sorted)
	var sum, shift float64
	for i := len(sorted) - 1; i >= 0; i-- {
		sum += sorted[i]
		t := (sum - 1) / float64(len(sorted)-i)
		if sorted[i] <= t {
			break
		}
		shift = t
	}
	for i := range x {
		x[i] = max(0, x[i]-shift)
	}
}
