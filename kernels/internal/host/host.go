// Package host walks tensors in host memory element by element, whatever their type and strides. It is the slow, general path that
// backends share.
package host

import (
	"fmt"

	"artel/dtype"
	"artel/tensor"
)

// Fill sets every element to v.
func Fill(dst tensor.Tensor, v float64) {
	set := writer(dst)
	Each(dst, dst, func(i, _ int) { set(i, v) })
}

// Copy sets dst = src for equal shapes, converting types.
func Copy(dst, src tensor.Tensor) {
	get, set := reader(src), writer(dst)
	Each(dst, src, func(i, j int) { set(i, get(j)) })
}

// Each calls f with the positions of all elements of two tensors of equal shape, in row-major order, relative to their
// first elements.
func Each(t, u tensor.Tensor, f func(i, j int)) {
	var n, st, su [tensor.MaxRank]int
	for d := range n {
		n[d] = 1
		if d < t.Rank() {
			n[d], st[d], su[d] = t.Dim(d), t.Stride(d), u.Stride(d)
		}
	}
	for a := 0; a < n[0]; a++ {
		for b := 0; b < n[1]; b++ {
			for c := 0; c < n[2]; c++ {
				for d := 0; d < n[3]; d++ {
					f(a*st[0]+b*st[1]+c*st[2]+d*st[3], a*su[0]+b*su[1]+c*su[2]+d*su[3])
				}
			}
		}
	}
}

// reader returns the function that reads element i of t as float64, which is exact for every type.
func reader(t tensor.Tensor) func(i int) float64 {
	switch t.Type {
	case dtype.F64:
		s := t.F64()
		return func(i int) float64 { return s[i] }
	case dtype.F32:
		s := t.F32()
		return func(i int) float64 { return float64(s[i]) }
	case dtype.BF16:
		s := t.BF16()
		return func(i int) float64 { return float64(dtype.FromBF16(s[i])) }
	case dtype.I32:
		s := t.I32()
		return func(i int) float64 { return float64(s[i]) }
	}
	panic(fmt.Sprintf("host: cannot read %v", t))
}

// writer returns the function that rounds v to the type of t and stores it as element i.
func writer(t tensor.Tensor) func(i int, v float64) {
	switch t.Type {
	case dtype.F64:
		s := t.F64()
		return func(i int, v float64) { s[i] = v }
	case dtype.F32:
		s := t.F32()
		return func(i int, v float64) { s[i] = float32(v) }
	case dtype.BF16:
		s := t.BF16()
		return func(i int, v float64) { s[i] = dtype.ToBF16From64(v) }
	case dtype.I32:
		s := t.I32()
		return func(i int, v float64) { s[i] = int32(v) }
	}
	panic(fmt.Sprintf("host: cannot write %v", t))
}
