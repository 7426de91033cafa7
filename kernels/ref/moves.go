package ref

import (
	"fmt"
	"math"

	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

func fill(dst tensor.Tensor, v float64) {
	set := writer(dst)
	each(dst, dst, func(i, _ int) { set(i, v) })
}

func copyElements(a kernels.Copy) {
	get, set := reader(a.Src), writer(a.Dst)
	each(a.Dst, a.Src, func(i, j int) { set(i, get(j)) })
}

func axpy(a kernels.Axpy) {
	dst, src := a.Dst.F64(), a.Src.F64()
	each(a.Dst, a.Src, func(i, j int) { put(&dst[i], a.Alpha*src[j], a.Accumulate) })
}

func gatherRows(a kernels.GatherRows) {
	if a.Dst.Type == dtype.I32 {
		gatherInto(imat(a.Dst), imat(a.Src), ivec(a.Index))
	} else {
		gatherInto(mat(a.Dst), mat(a.Src), ivec(a.Index))
	}
}

func gatherInto[E float64 | int32](dst, src grid[E], index []int32) {
	for i, r := range index {
		if r < 0 {
			clear(dst.row(i))
		} else {
			copy(dst.row(i), src.row(int(r)))
		}
	}
}

func scatterRows(a kernels.ScatterRows) {
	dst, src := mat(a.Dst), mat(a.Src)
	for i, r := range ivec(a.Index) {
		if r < 0 {
			continue
		}
		for j, v := range src.row(i) {
			*dst.ptr(int(r), j) += v
		}
	}
}

// each calls f with the positions of all elements of two tensors of equal shape, in row-major order, relative to their
// first elements.
func each(t, u tensor.Tensor, f func(i, j int)) {
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
	panic(fmt.Sprintf("ref: cannot read %v", t))
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
		return func(i int, v float64) { s[i] = toBF16(v) }
	case dtype.I32:
		s := t.I32()
		return func(i int, v float64) { s[i] = int32(v) }
	}
	panic(fmt.Sprintf("ref: cannot write %v", t))
}

// toBF16 rounds x to the nearest bfloat16 in one step. Going through float32 rounds twice, which is wrong when the first
// rounding lands on a tie; so the first one rounds to odd (Boldo & Melquiond 2005): an inexact value never looks like a tie.
func toBF16(x float64) uint16 {
	f := float32(x)
	if float64(f) != x && x == x {
		b := math.Float32bits(f)
		if math.Abs(float64(f)) > math.Abs(x) {
			b-- // towards zero
		}
		f = math.Float32frombits(b | 1)
	}
	return dtype.ToBF16(f)
}
