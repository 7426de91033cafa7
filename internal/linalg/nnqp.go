package linalg

import "math"

// NNQP solves min 1/2 z^T H z - b^T z over z >= 0 for a symmetric positive semidefinite H [n,n].
//
// It is the active-set method of Lawson & Hanson ("Solving Least Squares Problems", 1974, chapter 23) on the normal equations,
// with an updated Cholesky factor, and extended to a singular H: when the entering column depends on the ones in use, the step
// follows the null direction to the next bound instead. It stops when no multiplier exceeds the rounding of its own terms.
type NNQP struct {
	cap            int
	chol           *Cholesky
	idx            []int // the variables in use, in factor order
	inUse, blocked []bool
	s, row, ray    []float64
}

// NewNNQP returns a solver for up to n variables.
func NewNNQP(n int) *NNQP {
	f := make([]float64, 3*n)
	return &NNQP{cap: n, chol: NewCholesky(n), idx: make([]int, 0, n), inUse: make([]bool, n), blocked: make([]bool, n),
		s: f[:n:n], row: f[n : 2*n : 2*n], ray: f[2*n:]}
}

// Solve writes the minimiser to z [n]. terms [n], or nil, is the size of the terms that b was summed from, where that exceeds
// |b|. It reports unbounded when the objective falls forever; z is then undefined and Ray is the direction. The error is a
// failure to converge.
func (q *NNQP) Solve(h, b, terms, z []float64) (unbounded bool, err error) {
	n := len(z)
	check("NNQP", n, q.cap, len(h), len(b))
	q.chol.Reset()
	q.idx = q.idx[:0]
	for j := range z {
		z[j], q.inUse[j], q.blocked[j] = 0, false, false
	}
	for iter := 0; ; iter++ {
		j, violation := q.entering(h, b, terms, z)
		if j < 0 {
			q.refine(h, b, z)
			return false, nil
		}
		if iter > 20*n+20 {
			if violation < 1e-10 {
				return false, nil
			}
			return false, &Error{"nonnegative quadratic program", "did not converge", violation}
		}
		switch ok, ray := q.enter(h, z, j); {
		case !ok && ray && violation > 1e-9:
			return true, nil
		case !ok:
			q.blocked[j] = true // its multiplier is rounding: there is nothing to gain from it
			continue
		}
		if q.descend(h, b, z, j) {
			clear(q.blocked[:n])
		} else {
			q.blocked[j] = true
		}
	}
}

// Ray returns the direction r >= 0 with H r = 0 and b^T r > 0 that the last Solve found, valid until the next.
func (q *NNQP) Ray() []float64 { return q.ray }

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

// enter brings j into use. While j depends on the variables in use it moves along the null direction, on which the objective
// falls linearly, until one of them reaches 0 and leaves. It returns ray = true when nothing stops that direction.
func (q *NNQP) enter(h, z []float64, j int) (ok, ray bool) {
	n := len(z)
	for {
		p := len(q.idx)
		row := q.row[:p+1]
		for i, k := range q.idx {
			row[i] = h[j*n+k]
		}
		row[p] = h[j*n+j]
		if q.chol.Append(row, 8*float64(n)*eps) {
			q.idx = append(q.idx, j)
			q.inUse[j] = true
			return true, false
		}
		d := row[:p] // minus the direction
		q.chol.SolveT(d)
		leave, step := -1, math.Inf(1)
		for i, k := range q.idx {
			if d[i] > 0 && z[k] < step*d[i] {
				leave, step = i, z[k]/d[i]
			}
		}
		if leave < 0 {
			clear(q.ray[:n])
			for i, k := range q.idx {
				q.ray[k] = -d[i]
			}
			q.ray[j] = 1
			z[j] = 0
			return false, true
		}
		for i, k := range q.idx {
			z[k] = max(0, z[k]-step*d[i])
		}
		z[j] += step
		q.remove(z, leave)
	}
}

// descend moves to the minimiser over the variables in use, dropping those that reach 0 on the way. It reports false, with j
// out of use again, when rounding makes j itself the one to drop.
func (q *NNQP) descend(h, b, z []float64, j int) bool {
	for first := true; ; first = false {
		s := q.s[:len(q.idx)]
		for i, k := range q.idx {
			s[i] = b[k]
		}
		q.chol.Solve(s)
		leave, step := -1, math.Inf(1)
		for i, k := range q.idx {
			if s[i] <= 0 {
				t := 0.0
				if z[k] > 0 {
					t = z[k] / (z[k] - s[i])
				}
				if leave < 0 || t < step {
					leave, step = i, t
				}
			}
		}
		if leave < 0 {
			for i, k := range q.idx {
				z[k] = s[i]
			}
			return true
		}
		k := q.idx[leave]
		if first && k == j && z[j] == 0 {
			q.remove(z, leave)
			return false
		}
		for i, k := range q.idx {
			z[k] = max(0, z[k]+step*(s[i]-z[k]))
		}
		q.remove(z, leave)
		if len(q.idx) == 0 {
			return true
		}
	}
}

func (q *NNQP) remove(z []float64, i int) {
	k := q.idx[i]
	z[k], q.inUse[k] = 0, false
	q.chol.Remove(i)
	q.idx = append(q.idx[:i], q.idx[i+1:]...)
}

// refine does one step of iterative refinement on the variables in use, which removes the error of the factor's many updates.
func (q *NNQP) refine(h, b, z []float64) {
	n := len(z)
	s := q.s[:len(q.idx)]
	for i, k := range q.idx {
		r := b[k]
		for _, l := range q.idx {
			r -= h[k*n+l] * z[l]
		}
		s[i] = r
	}
	q.chol.Solve(s)
	for i, k := range q.idx {
		if v := z[k] + s[i]; v > 0 {
			z[k] = v
		}
	}
}
