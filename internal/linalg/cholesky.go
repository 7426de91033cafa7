package linalg

import "math"

// Cholesky is a factor A = L L^T that grows and shrinks by one row and column, so that an active-set method pays O(p^2) per
// change instead of O(p^3).
type Cholesky struct {
	cap, p int
	l      []float64 // lower triangle, row stride cap
}

// NewCholesky returns an empty factor with room for n rows.
func NewCholesky(n int) *Cholesky { return &Cholesky{cap: n, l: make([]float64, n*n)} }

// Reset empties the factor.
func (c *Cholesky) Reset() { c.p = 0 }

// Len returns p, the number of rows.
func (c *Cholesky) Len() int { return c.p }

// Append adds one row: row [p+1] holds its products with the rows already in, in their order, and with itself. On return
// row[:p] holds L^-1 of those products, and Append reports whether the row is independent: its pivot exceeds tol times its own
// product. A dependent row is not added.
func (c *Cholesky) Append(row []float64, tol float64) bool {
	p := c.p
	check("Cholesky.Append", len(row)-1, c.cap-1)
	pivot := row[p]
	for i := 0; i < p; i++ {
		li := c.l[i*c.cap : i*c.cap+i+1]
		row[i] = (row[i] - Dot(li[:i], row)) / li[i]
		pivot -= row[i] * row[i]
	}
	if !(pivot > tol*row[p]) || pivot <= 0 {
		return false
	}
	copy(c.l[p*c.cap:p*c.cap+p], row)
	c.l[p*c.cap+p] = math.Sqrt(pivot)
	c.p++
	return true
}

// Remove deletes row k; later rows move up. Plane rotations restore the triangle, which is as stable as a new factorisation.
func (c *Cholesky) Remove(k int) {
	n := c.cap
	for i := k + 1; i < c.p; i++ {
		copy(c.l[(i-1)*n:(i-1)*n+i+1], c.l[i*n:i*n+i+1])
	}
	c.p--
	for i := k; i < c.p; i++ { // row i has one entry too many, at column i+1
		a, b := c.l[i*n+i], c.l[i*n+i+1]
		r := math.Hypot(a, b)
		cs, sn := a/r, b/r
		c.l[i*n+i] = r
		for j := i + 1; j < c.p; j++ {
			x, y := c.l[j*n+i], c.l[j*n+i+1]
			c.l[j*n+i] = cs*x + sn*y
			c.l[j*n+i+1] = cs*y - sn*x
		}
	}
}

// Solve replaces x [p] by A^-1 x.
func (c *Cholesky) Solve(x []float64) {
	for i := 0; i < c.p; i++ {
		li := c.l[i*c.cap : i*c.cap+i+1]
		x[i] = (x[i] - Dot(li[:i], x)) / li[i]
	}
	c.SolveT(x)
}

// SolveT replaces x [p] by L^-T x.
func (c *Cholesky) SolveT(x []float64) {
	for i := c.p - 1; i >= 0; i-- {
		li := c.l[i*c.cap : i*c.cap+i+1]
		x[i] /= li[i]
		for j, v := range li[:i] {
			x[j] -= v * x[i]
		}
	}
}

// Factor replaces the factor by that of A [n,n] and reports whether A is positive definite: every pivot exceeds tol times the
// diagonal entry.
func (c *Cholesky) Factor(a []float64, n int, tol float64) bool {
	c.Reset()
	for i := 0; i < n; i++ {
		// Append works in place, and row i of the factor is where its result belongs.
		row := c.l[i*c.cap : i*c.cap+i+1]
		copy(row, a[i*n:i*n+i+1])
		if !c.Append(row, tol) {
			return false
		}
	}
	return true
}
