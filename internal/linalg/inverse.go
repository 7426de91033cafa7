package linalg

import "math"

// Inverse replaces A [n,n] by its inverse, by Gauss-Jordan elimination with column pivots; pivot [n] is workspace. It reports false, and leaves A undefined, where a pivot
// vanishes beside the largest entry of A.
func Inverse(a []float64, n int, pivot []int) bool {
	var size float64
	for _, v := range a[:n*n] {
		size = max(size, math.Abs(v))
	}
	for k := range n {
		p := k
		for i := k + 1; i < n; i++ {
			if math.Abs(a[i*n+k]) > math.Abs(a[p*n+k]) {
				p = i
			}
		}
		if pivot[k] = p; !(math.Abs(a[p*n+k]) > size*eps) {
			return false
		}
		if p != k {
			for j := range n {
				a[k*n+j], a[p*n+j] = a[p*n+j], a[k*n+j]
			}
		}
		row := a[k*n : k*n+n]
		inv := 1 / row[k]
		row[k] = 1
		for j := range row {
			row[j] *= inv
		}
		for i := range n {
			if i == k {
				continue
			}
			other := a[i*n : i*n+n]
			c := other[k]
			if c == 0 {
				continue
			}
			other[k] = 0
			for j, v := range row {
				other[j] -= c * v
			}
		}
	}
	for k := n - 1; k >= 0; k-- { // rows were exchanged: exchange the columns back
		if p := pivot[k]; p != k {
			for i := range n {
				a[i*n+k], a[i*n+p] = a[i*n+p], a[i*n+k]
			}
		}
	}
	return true
}
