package linalg

import "math"

// Eigen finds all eigenvalues and eigenvectors of a symmetric matrix.
type Eigen struct {
	cap  int
	v, e []float64
}

// NewEigen returns a solver for up to n x n.
func NewEigen(n int) *Eigen { return &Eigen{cap: n, v: make([]float64, n*n), e: make([]float64, n)} }

// Solve writes the eigenvalues to d [n], in no particular order, and returns V [n,n], valid until the next call, with
// A V = V diag(d): column k belongs to d[k]. The method is Householder tridiagonalisation and implicit QL with the shift of
// Wilkinson (Bowdler, Martin, Reinsch & Wilkinson 1968; EISPACK tred2, tql2).
func (s *Eigen) Solve(a, d []float64) ([]float64, error) {
	n := len(d)
	check("Eigen", n, s.cap, len(a))
	v, e := s.v[:n*n], s.e[:n]
	copy(v, a)
	// Scaling by a power of two keeps squares of entries inside the range of float64 and changes no bit.
	var big float64
	for _, x := range v {
		big = max(big, math.Abs(x))
	}
	if big == 0 || !finite(big) {
		return s.trivial(v, d, big)
	}
	_, exp := math.Frexp(big)
	for i := range v {
		v[i] = math.Ldexp(v[i], -exp)
	}
	tridiagonal(v, d, e)
	if err := ql(v, d, e); err != nil {
		return nil, err
	}
	for i := range d {
		d[i] = math.Ldexp(d[i], exp)
	}
	return v, nil
}

// trivial answers for the zero matrix and refuses one that is not finite.
func (s *Eigen) trivial(v, d []float64, big float64) ([]float64, error) {
	if big != 0 {
		return nil, &Error{"symmetric eigenvalues", "the matrix is not finite", math.Inf(1)}
	}
	n := len(d)
	clear(v)
	clear(d)
	for i := range n {
		v[i*n+i] = 1
	}
	return v, nil
}

// tridiagonal replaces v by the orthogonal matrix Q of A = Q T Q^T, with the diagonal of T in d and the one below it in e[1:].
func tridiagonal(v, d, e []float64) {
	n := len(d)
	// Reflect rows n-1..1: row i keeps its vector u in v[i,:i], and u/h in column i for the second half.
	for i := n - 1; i > 0; i-- {
		u := v[i*n : i*n+i]
		e[i], d[i] = u[i-1], 0
		var tail float64
		for _, x := range u[:i-1] {
			tail += x * x
		}
		if tail == 0 {
			continue // already tridiagonal in this row
		}
		h := tail + u[i-1]*u[i-1]
		g := -math.Copysign(math.Sqrt(h), u[i-1])
		e[i] = g
		h -= u[i-1] * g
		u[i-1] -= g
		d[i] = h
		p := e[:i] // p = A u / h, then q = p - (u.p / 2h) u, and A -= u q^T + q u^T
		var up float64
		for j := range p {
			var sum float64
			for k := 0; k <= j; k++ {
				sum += v[j*n+k] * u[k]
			}
			for k := j + 1; k < i; k++ {
				sum += v[k*n+j] * u[k]
			}
			v[j*n+i] = u[j] / h
			p[j] = sum / h
			up += p[j] * u[j]
		}
		half := up / (2 * h)
		for j := range p {
			p[j] -= half * u[j]
			for k := 0; k <= j; k++ {
				v[j*n+k] -= u[j]*p[k] + p[j]*u[k]
			}
		}
	}
	// Multiply the reflections into v.
	e[0] = 0
	for i := range n {
		if i > 0 && d[i] != 0 {
			u := v[i*n : i*n+i]
			for j := range i {
				var sum float64
				for k, x := range u {
					sum += x * v[k*n+j]
				}
				for k := range i {
					v[k*n+j] -= sum * v[k*n+i]
				}
			}
		}
		d[i] = v[i*n+i]
		v[i*n+i] = 1
		for j := range i {
			v[j*n+i], v[i*n+j] = 0, 0
		}
	}
}

// ql turns the tridiagonal (d, e) into eigenvalues in d, and rotates the columns of v along.
func ql(v, d, e []float64) error {
	n := len(d)
	copy(e, e[1:])
	e[n-1] = 0
	for l := range n {
		for iter := 0; ; iter++ {
			m := l // the block l..m is not split yet
			for ; m < n-1; m++ {
				if math.Abs(e[m]) <= eps*(math.Abs(d[m])+math.Abs(d[m+1])) {
					break
				}
			}
			if m == l {
				break
			}
			if iter == 60 {
				return &Error{"symmetric eigenvalues", "QL did not converge", math.Abs(e[l]) / (math.Abs(d[l]) + math.Abs(d[l+1]))}
			}
			g := (d[l+1] - d[l]) / (2 * e[l])
			g = d[m] - d[l] + e[l]/(g+math.Copysign(math.Hypot(g, 1), g))
			s, c, p := 1.0, 1.0, 0.0
			i := m - 1
			for ; i >= l; i-- {
				f, b := s*e[i], c*e[i]
				r := math.Hypot(f, g)
				e[i+1] = r
				if r == 0 { // the block splits here
					d[i+1] -= p
					e[m] = 0
					break
				}
				s, c = f/r, g/r
				g = d[i+1] - p
				r = (d[i]-g)*s + 2*c*b
				p = s * r
				d[i+1] = g + p
				g = c*r - b
				for k := 0; k < n; k++ {
					x, y := v[k*n+i], v[k*n+i+1]
					v[k*n+i+1] = s*x + c*y
					v[k*n+i] = c*x - s*y
				}
			}
			if i >= l {
				continue
			}
			d[l] -= p
			e[l] = g
			e[m] = 0
		}
	}
	return nil
}

// PseudoSolve writes x = A^+ b, the shortest least-squares solution, treating eigenvalues up to tol times the largest as 0, and
// returns the rank.   A [n,n] symmetric   b, x [n], not the same slice   d [n] receives the eigenvalues
func (s *Eigen) PseudoSolve(a, b, x, d []float64, tol float64) (rank int, err error) {
	n := len(x)
	v, err := s.Solve(a, d)
	if err != nil {
		return 0, err
	}
	clear(x)
	var big float64
	for _, l := range d {
		big = max(big, math.Abs(l))
	}
	for k, l := range d {
		if math.Abs(l) <= tol*big {
			continue
		}
		rank++
		var c float64
		for i := range n {
			c += v[i*n+k] * b[i]
		}
		c /= l
		for i := range n {
			x[i] += c * v[i*n+k]
		}
	}
	return rank, nil
}
