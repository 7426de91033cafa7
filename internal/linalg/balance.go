package linalg

import "math"

// Balance solves G a = a^(-1/p), a > 0: every variable gets the same share of some power of what it gains. p = 1 is the Nash
// bargaining condition G a = 1/a.
//
// It is the stationarity of the strictly convex 1/2 a^T G a - sum_i u(a_i), u = log for p = 1 and u = x^(1-1/p) / (1-1/p) else,
// so damped Newton steps with backtracking find the one solution. There is none iff some v >= 0, v != 0, has G v = 0.
type Balance struct {
	cap           int
	chol          *Cholesky
	h, ga, d, try []float64
}

// NewBalance returns a solver for up to n variables.
func NewBalance(n int) *Balance {
	return &Balance{cap: n, chol: NewCholesky(n), h: make([]float64, n*n), ga: make([]float64, n), d: make([]float64, n), try: make([]float64, n)}
}

// Solve writes the solution to a [n] for p > 0.   G [n,n] symmetric positive semidefinite with a positive diagonal
//
// The error is a *Error with the residual max_i |(G a)_i a_i^(1/p) - 1| when there is no solution within the range of float64.
func (s *Balance) Solve(g []float64, p float64, a []float64) error {
	n := len(a)
	check("Balance", n, s.cap, len(g))
	ga, d, try := s.ga[:n], s.d[:n], s.try[:n]
	for i := range a {
		a[i] = math.Pow(g[i*n+i], -p/(p+1)) // exact when the rows are orthogonal
		if !finite(a[i]) || a[i] <= 0 {
			return &Error{"balance", "a variable without a positive diagonal entry", math.Inf(1)}
		}
	}
	MulVec(ga, g, a)
	last := math.Inf(1)
	for iter := 0; ; iter++ {
		worst, noise := 0.0, 0.0
		for i, x := range a {
			w := math.Pow(x, 1/p)
			var mag float64
			for k, y := range a {
				mag += math.Abs(g[i*n+k] * y)
			}
			worst = max(worst, math.Abs(ga[i]*w-1))
			noise = max(noise, mag*w)
		}
		// Full Newton steps end at the rounding of the terms; there the residual stops falling.
		if worst <= 1e-15 || (worst <= 64*eps*noise && worst >= last/2) {
			return nil
		}
		if iter == 200 || noise > 1e10 {
			return &Error{"balance", "no solution: a positive combination of the rows is (nearly) zero", worst}
		}
		last = worst
		copy(s.h, g)
		for i, x := range a {
			u := math.Pow(x, -1/p)
			s.h[i*n+i] += u / (p * x)
			d[i] = u - ga[i]
		}
		slope := 0.0
		copy(try, d)
		if !s.chol.Factor(s.h[:n*n], n, 0) {
			return &Error{"balance", "the matrix is not positive semidefinite", worst}
		}
		s.chol.Solve(d)
		for i, x := range d {
			slope += x * try[i]
		}
		s.step(g, p, a, slope)
		MulVec(ga, g, a)
	}
}

// step moves a along d, at most 0.95 of the way to a bound, and halves the step until the objective falls by a quarter of what
// the slope promises. slope = -gradient . d > 0.
func (s *Balance) step(g []float64, p float64, a []float64, slope float64) {
	n := len(a)
	t := 1.0
	for i, x := range a {
		if s.d[i] < 0 {
			t = min(t, -0.95*x/s.d[i])
		}
	}
	var linear float64 // a^T G d
	for i, x := range s.d[:n] {
		linear += x * s.ga[i]
	}
	quad, size := Quad(g, s.d[:n]), Dot(a, s.ga)
	for range 60 {
		// The change of the objective, term by term, so that nothing large cancels.
		change := t*linear + t*t*quad/2
		for i, x := range a {
			change -= gain(x, t*s.d[i], p)
		}
		// Near the solution the change is below its rounding and the full step is right.
		if change <= -0.25*t*slope || t*slope <= 1e-9*size {
			break
		}
		t /= 2
	}
	for i := range a {
		a[i] += t * s.d[i]
	}
}

// gain returns u(x+d) - u(x).
func gain(x, d, p float64) float64 {
	l := math.Log1p(d / x)
	if p == 1 {
		return l
	}
	k := 1 - 1/p
	return math.Pow(x, k) * math.Expm1(k*l) / k
}
