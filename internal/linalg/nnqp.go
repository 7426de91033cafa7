package linalg

import "math"

// ridge is what NNQP adds to the diagonal, relative to it. A Gram matrix in float64 tells nothing about parts of a vector that are
// 1e-8 of its length; the ridge makes every system solvable well above that limit, splits the weight of copies evenly, and its
// effect is then removed by refinement wherever the matrix is better than 1e-12.
const ridge = 1e-12

// NNQP solves min 1/2 z^T H z - b^T z over z >= 0 for a symmetric positive semidefinite H [n,n].
//
// It is the active-set method of Lawson & Hanson ("Solving Least Squares Problems", 1974, chapter 23) on the normal equations, with
// an updated Cholesky factor of H + ridge*diag(H), followed by proximal steps on the final set. It stops when no multiplier exceeds
// the rounding of its own terms.
type NNQP struct {
	cap            int
	chol           *Cholesky
	idx            []int // the variables in use, in factor order
	inUse, blocked []bool
	s, row         []float64
}

// NewNNQP returns a solver for up to n variables.
func NewNNQP(n int) *NNQP {
	return &NNQP{cap: n, chol: NewCholesky(n), idx: make([]int, 0, n), inUse: make([]bool, n), blocked: make([]bool, n),
		s: make([]float64, n), row: make([]float64, n)}
}

// Solve writes the minimiser to z [n]. terms [n], or nil, is the size of the terms that b was summed from, where that exceeds
// |b|. The error is a *Error: the objective falls forever along an axis with H_jj = 0, or no convergence.
func (q *NNQP) Solve(h, b, terms, z []float64) error {
	n := len(z)
	check("NNQP", n, q.cap, len(h), len(b))
	q.chol.Reset()
	q.idx = q.idx[:0]
	for j := range z {
		z[j], q.inUse[j], q.blocked[j] = 0, false, false
	}
	for iter := 0; ; iter++ {
		j, violation := q.entering(h, b, terms, z)
		if j < 0 || (iter > 10*n+20 && violation < 1e-9) {
			q.refine(h, b, z)
			return nil
		}
		if iter > 20*n+20 {
			return &Error{"nonnegative quadratic program", "did not converge", violation}
		}
		row := q.row[:len(q.idx)+1]
		for i, k := range q.idx {
			row[i] = h[j*n+k]
		}
		row[len(q.idx)] = h[j*n+j] * (1 + ridge)
		if !q.chol.Append(row, 0) {
			return &Error{"nonnegative quadratic program", "unbounded, or the matrix is not positive semidefinite", violation}
		}
		q.idx = append(q.idx, j)
		q.inUse[j] = true
		if q.descend(b, z, j) {
			clear(q.blocked[:n])
		} else {
			q.blocked[j] = true // its multiplier is rounding: there is nothing to gain from it
		}
	}
}

// entering returns the unused variable with the steepest normalised descent, or -1 at the optimum, and how large its multiplier
// is relative to the terms it is summed from.
func (q *NNQP) entering(h, b, terms, z []float64) (best int, violation float64) {
	n, steepest := len(z), 0.0
	best = -1
	for j := range z {
		if q.inUse[j] || q.blocked[j] {
			continue
		}
		hj := h[j*n : j*n+n]
		g, mag := b[j], math.Abs(b[j])
		if terms != nil {
			mag = max(mag, terms[j])
		}
		for _, k := range q.idx {
			t := hj[k] * z[k]
			g -= t
			mag += math.Abs(t)
		}
		if g <= 4*float64(n+2)*eps*mag {
			continue
		}
		if slope := g / math.Sqrt(hj[j]); slope > steepest {
			best, steepest, violation = j, slope, g/mag
		}
	}
	return best, violation
}

// descend moves to the minimiser over the variables in use, of which j is new, dropping those that reach 0 on the way. It reports
// false, with j out of use again, when rounding makes j itself the one to drop.
func (q *NNQP) descend(b, z []float64, j int) bool {
	for first := true; len(q.idx) > 0; first = false {
		s := q.s[:len(q.idx)]
		for i, k := range q.idx {
			s[i] = b[k]
		}
		q.chol.Solve(s)
		leave, step := -1, math.Inf(1)
		for i, k := range q.idx {
			if s[i] > 0 {
				continue
			}
			if t := z[k] / (z[k] - s[i]); z[k] == 0 {
				leave, step = i, 0
			} else if t < step {
				leave, step = i, t
			}
		}
		if leave < 0 {
			for i, k := range q.idx {
				z[k] = s[i]
			}
			return true
		}
		if first && q.idx[leave] == j {
			q.remove(z, leave)
			return false
		}
		for i, k := range q.idx {
			z[k] = max(0, z[k]+step*(s[i]-z[k]))
		}
		q.remove(z, leave)
	}
	return true
}

func (q *NNQP) remove(z []float64, i int) {
	k := q.idx[i]
	z[k], q.inUse[k] = 0, false
	q.chol.Remove(i)
	q.idx = append(q.idx[:i], q.idx[i+1:]...)
}

// refine takes steps z += (H + ridge)^-1 (b - H z) on the variables in use: they remove the effect of the ridge and the rounding of
// the factor's updates.
func (q *NNQP) refine(h, b, z []float64) {
	n := len(z)
	s := q.s[:len(q.idx)]
	for range 3 {
		for i, k := range q.idx {
			r := b[k]
			for _, l := range q.idx {
				r -= h[k*n+l] * z[l]
			}
			s[i] = r
		}
		q.chol.Solve(s)
		for i, k := range q.idx {
			if !(z[k]+s[i] > 0) {
				return // a part of the correction is worse than none
			}
		}
		for i, k := range q.idx {
			z[k] += s[i]
		}
	}
}
