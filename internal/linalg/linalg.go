// Package linalg is small dense linear algebra and convex programming in float64, for matrices up to about 64 x 64.
//
// It is what decides gradient weights from a Gram matrix. Matrices are row-major slices; symmetric ones are given in full. All
// solvers are exact methods (active sets, Newton with closed forms), not fixed iteration counts; their tolerances are relative to
// the magnitude of the terms summed, so multiplying the data by any factor changes nothing but the scale of the answer. Each
// solver owns its workspace (NewX(n)), allocates nothing per call, and is not safe for concurrent use.
package linalg

import (
	"fmt"
	"math"
)

// eps is the distance from 1 to the next float64.
const eps = 0x1p-52

// Error is a solver that stopped without a solution. The output of the failed call must not be used.
type Error struct {
	Op       string  // the solver
	Reason   string  // what happened
	Residual float64 // largest violation of the optimality conditions, relative to the size of their terms
}

// Error describes the failure.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s (relative residual %.3g)", e.Op, e.Reason, e.Residual)
}

// Dot returns sum_i x[i]*y[i] over the length of x.
func Dot(x, y []float64) float64 {
	y = y[:len(x)]
	var s float64
	for i, v := range x {
		s += v * y[i]
	}
	return s
}

// MulVec writes y = A x.   A [len(y), len(x)], x and y must not overlap.
func MulVec(y, a, x []float64) {
	n := len(x)
	for i := range y {
		y[i] = Dot(a[i*n:i*n+n], x)
	}
}

// Quad returns x^T A x.   A [len(x), len(x)]
func Quad(a, x []float64) float64 {
	n := len(x)
	var s float64
	for i, v := range x {
		if v != 0 {
			s += v * Dot(a[i*n:i*n+n], x)
		}
	}
	return s
}

// check panics on lengths that contradict the workspace: a mistake of the caller, not of the data.
func check(op string, n, capacity int, lens ...int) {
	if n > capacity {
		panic(fmt.Sprintf("linalg: %s: size %d in a workspace for %d", op, n, capacity))
	}
	for _, l := range lens {
		if l != n && l != n*n {
			panic(fmt.Sprintf("linalg: %s: a slice of length %d for size %d", op, l, n))
		}
	}
}

func finite(x float64) bool { return math.Abs(x) <= math.MaxFloat64 }
