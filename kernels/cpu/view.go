package cpu

import (
	"artel/dtype"
	"artel/tensor"
)

// rows is a matrix with unit column stride.
type rows struct {
	p           []float32
	n, cols, ld int
	h           []uint16 // bfloat16 numbers instead of p
}

// ok tells whether there is a matrix.
func (m *rows) ok() bool { return m.p != nil || m.h != nil }

// matrix views a rank-2 tensor whose rows may be strided.
func matrix(t tensor.Tensor) rows {
	if !t.Ok() {
		return rows{}
	}
	m := rows{n: t.Dim(0), cols: t.Dim(1), ld: t.Stride(0)}
	if t.Type == dtype.BF16 {
		m.h = t.BF16()
	} else {
		m.p = t.F32()
	}
	return m
}

// row returns row i.
func (m rows) row(i int) []float32 { return m.p[i*m.ld : i*m.ld+m.cols : i*m.ld+m.cols] }

// run returns n rows from row i on, which lie without gaps.
func (m rows) run(i, n int) []float32 { return m.p[i*m.ld : (i+n-1)*m.ld+m.cols] }

// ints returns the elements of a contiguous I32 tensor, nil for none.
func ints(t tensor.Tensor) []int32 {
	if !t.Ok() {
		return nil
	}
	return t.I32()
}

// floats returns the elements of a contiguous F32 tensor, nil for none.
func floats(t tensor.Tensor) []float32 {
	if !t.Ok() {
		return nil
	}
	return t.F32()
}

// of maps a cotangent row to its activation row; a nil act is the identity.
func of(act []int32, c int) int {
	if act == nil {
		return c
	}
	return int(act[c])
}

// put stores v or adds it.
func put(dst *float32, v float32, add bool) {
	if add {
		v += *dst
	}
	*dst = v
}

// table is an I32 matrix whose rows may be strided.
type table struct {
	p           []int32
	n, cols, ld int
}

func intMatrix(t tensor.Tensor) table {
	if !t.Ok() {
		return table{}
	}
	return table{t.I32(), t.Dim(0), t.Dim(1), t.Stride(0)}
}

// row returns row i.
func (m table) row(i int) []int32 { return m.p[i*m.ld : i*m.ld+m.cols] }

// segment is a row of a segment table.
type segment struct{ group, task, act0, row0, n int }

func (m table) segment(i int) segment {
	s := m.row(i)
	return segment{int(s[0]), int(s[1]), int(s[2]), int(s[3]), int(s[4])}
}
