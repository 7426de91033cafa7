package ref

import (
	"fmt"

	"artel/kernels"
	"artel/tensor"
)

// grid is a strided matrix in host memory.
type grid[E float64 | int32] struct {
	s          []E
	rows, cols int
	rs, cs     int // strides
}

// mat views a float tensor of rank 2; the zero Tensor gives a matrix without rows.
func mat(t tensor.Tensor) grid[float64] {
	return grid[float64]{t.F64(), t.Dim(0), t.Dim(1), t.Stride(0), t.Stride(1)}
}

// imat is mat for I32.
func imat(t tensor.Tensor) grid[int32] {
	return grid[int32]{t.I32(), t.Dim(0), t.Dim(1), t.Stride(0), t.Stride(1)}
}

// at returns element (i, j).
func (m grid[E]) at(i, j int) E { return m.s[i*m.rs+j*m.cs] }

// ptr returns the place of element (i, j).
func (m grid[E]) ptr(i, j int) *E { return &m.s[i*m.rs+j*m.cs] }

// row returns row i, which must be unit-strided as the contract demands.
func (m grid[E]) row(i int) []E {
	if m.cols == 0 {
		return nil
	}
	if m.cs != 1 && m.cols > 1 {
		panic(fmt.Sprintf("ref: last dimension has stride %d, want 1", m.cs))
	}
	return m.s[i*m.rs:][:m.cols]
}

// vec views a float tensor of rank 1; nil for the zero Tensor.
func vec(t tensor.Tensor) []float64 {
	unit(t)
	return t.F64()
}

// ivec is vec for I32.
func ivec(t tensor.Tensor) []int32 {
	unit(t)
	return t.I32()
}

// unit panics on a vector whose elements do not lie side by side.
func unit(t tensor.Tensor) {
	if t.Ok() && (t.Rank() != 1 || t.Dim(0) > 1 && t.Stride(0) != 1) {
		panic(fmt.Sprintf("ref: %v with stride %d, want a vector with stride 1", t, t.Stride(0)))
	}
}

// index maps rows to rows; nil is the identity.
type index []int32

// of returns the row that r stands for.
func (x index) of(r int) int {
	if x == nil {
		return r
	}
	return int(x[r])
}

// weight returns w[i], or 1 without w.
func weight(w []float64, i int) float64 {
	if w == nil {
		return 1
	}
	return w[i]
}

// put stores v at dst, or adds it.
func put(dst *float64, v float64, add bool) {
	if add {
		v += *dst
	}
	*dst = v
}

// dot is the inner product of equally long vectors.
func dot(x, y []float64) float64 {
	var sum float64
	for i := range x {
		sum += x[i] * y[i]
	}
	return sum
}

// segment is one row of a segment table.
type segment struct{ group, task, act0, row0, n int }

// eachSegment calls f for the segments that have rows, in order. touched says that the destination of the segment holds a
// gradient already; its flag is set.
func eachSegment(segs, flags tensor.Tensor, f func(s segment, touched bool)) {
	table, flag := imat(segs), imat(flags)
	if table.cols != kernels.SegCols {
		panic(fmt.Sprintf("ref: segments %v, want %d columns", segs, kernels.SegCols))
	}
	for i := 0; i < table.rows; i++ {
		r := table.row(i)
		s := segment{int(r[0]), int(r[1]), int(r[2]), int(r[3]), int(r[4])}
		if s.n == 0 {
			continue
		}
		p := flag.ptr(s.group, s.task)
		f(s, *p != 0)
		*p = 1
	}
}
