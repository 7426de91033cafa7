package cpu

import (
	"math"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/internal/host"
	"artel/tensor"
)

func (b *backend) moves() kernels.Moves {
	axpy := newLoop(b.axpyRows)
	gather, cols, scatterCols, round := newLoop(gatherRows), newLoop(b.gatherCols), newLoop(b.scatterCols), newLoop(b.roundRange)
	return kernels.Moves{
		Fill: fill,
		Copy: func(a kernels.Copy) { b.copyElements(a, round) },
		Axpy: func(a kernels.Axpy) {
			var ok bool
			if a.Alpha, ok = host.Times(a.Alpha, a.By); !ok {
				return
			}
			a.Dst, a.Src = flat(a.Dst, a.Src)
			axpy.call(b.pool, a, a.Dst.Dim(0), a.Dst.Dim(1))
		},
		GatherRows:  func(a kernels.GatherRows) { gather.call(b.pool, a, a.Dst.Dim(0), a.Dst.Dim(1)) },
		ScatterRows: b.scatterRows,
		GatherCols: func(a kernels.GatherCols) {
			b.findColumns(ints(a.Index))
			cols.call(b.pool, a, a.Dst.Dim(0), a.Dst.Dim(1))
		},
		ScatterCols: func(a kernels.ScatterCols) {
			b.findColumns(ints(a.Index))
			scatterCols.call(b.pool, a, a.Src.Dim(0), a.Src.Dim(1)+a.Dst.Dim(1))
		},
	}
}

// flat views two tensors of equal shape as matrices; contiguous vectors become rows of 1024 elements where that divides them.
func flat(x, y tensor.Tensor) (tensor.Tensor, tensor.Tensor) {
	if x.Rank() == 2 {
		return x, y
	}
	n := x.Len()
	for _, w := range []int{1024, 64, 1} {
		if n%w == 0 && (w > 1 || n < work) {
			return x.Reshape(n/w, w), y.Reshape(n/w, w)
		}
	}
	return x.Reshape(1, n), y.Reshape(1, n)
}

func (b *backend) axpyRows(a *kernels.Axpy, lo, hi int) {
	dst, src, alpha := matrix(a.Dst), matrix(a.Src), float32(a.Alpha)
	if dst.ld == dst.cols && src.ld == src.cols {
		d, s := dst.p[lo*dst.ld:hi*dst.ld], src.p[lo*src.ld:hi*src.ld]
		b.axpyRow(d, s, alpha, a.Accumulate)
		return
	}
	for i := lo; i < hi; i++ {
		b.axpyRow(dst.row(i), src.row(i), alpha, a.Accumulate)
	}
}

func (b *backend) axpyRow(dst, src []float32, alpha float32, add bool) {
	switch {
	case add:
		b.vec.Axpy(dst, src, alpha)
	case alpha == 1:
		copy(dst, src)
	default:
		b.vec.Scale(dst, src, alpha)
	}
}

func gatherRows(a *kernels.GatherRows, lo, hi int) {
	index := ints(a.Index)
	if a.Dst.Type == dtype.I32 {
		d, s := a.Dst.I32(), a.Src.I32()
		w, ld, ls := a.Dst.Dim(1), a.Dst.Stride(0), a.Src.Stride(0)
		for i := lo; i < hi; i++ {
			row := d[i*ld : i*ld+w]
			if j := int(index[i]); j >= 0 {
				copy(row, s[j*ls:j*ls+w])
			} else {
				clear(row)
			}
		}
		return
	}
	dst, src := matrix(a.Dst), matrix(a.Src)
	for i := lo; i < hi; i++ {
		if j := int(index[i]); j >= 0 {
			copy(dst.row(i), src.row(j))
		} else {
			clear(dst.row(i))
		}
	}
}

// scatterRows adds in the order of the index: rows of the same destination must not race.
func (b *backend) scatterRows(a kernels.ScatterRows) {
	dst, src := matrix(a.Dst), matrix(a.Src)
	for i, j := range ints(a.Index) {
		if j >= 0 {
			b.vec.Axpy(dst.row(int(j)), src.row(i), 1)
		}
	}
}

func fill(t tensor.Tensor, v float64) {
	if t.Len() == 0 {
		return
	}
	if !t.Contiguous() || math.Signbit(v) {
		host.Fill(t, v)
		return
	}
	switch t.Type {
	case dtype.F32:
		fillSlice(t.F32(), float32(v))
	case dtype.F64:
		fillSlice(t.F64(), v)
	case dtype.I32:
		fillSlice(t.I32(), int32(v))
	case dtype.BF16:
		fillSlice(t.BF16(), dtype.ToBF16(float32(v)))
	}
}

func fillSlice[E comparable](s []E, v E) {
	var zero E
	if v == zero {
		clear(s)
		return
	}
	for i := range s {
		s[i] = v
	}
}

// roundRange rounds elements [lo,hi) of contiguous tensors.
func (b *backend) roundRange(a *kernels.Copy, lo, hi int) {
	b.vec.Round(a.Dst.BF16()[lo:hi], a.Src.F32()[lo:hi])
}

func (b *backend) copyElements(a kernels.Copy, round *loop[kernels.Copy]) {
	if a.Dst.Len() == 0 {
		return
	}
	if a.Dst.Type == a.Src.Type && a.Dst.Contiguous() && a.Src.Contiguous() {
		switch a.Dst.Type {
		case dtype.F32:
			copy(a.Dst.F32(), a.Src.F32())
		case dtype.F64:
			copy(a.Dst.F64(), a.Src.F64())
		case dtype.I32:
			copy(a.Dst.I32(), a.Src.I32())
		case dtype.BF16:
			copy(a.Dst.BF16(), a.Src.BF16())
		}
		return
	}
	if a.Dst.Type == dtype.BF16 && a.Src.Type == dtype.F32 && a.Dst.Contiguous() && a.Src.Contiguous() {
		round.call(b.pool, a, a.Dst.Len(), 1)
		return
	}
	if a.Dst.Type == dtype.F32 && a.Src.Type == dtype.F64 && a.Dst.Rank() == 1 && a.Dst.Contiguous() && a.Src.Contiguous() {
		dst := a.Dst.F32()
		for i, v := range a.Src.F64()[:a.Dst.Len()] {
			dst[i] = float32(v)
		}
		return
	}
	host.Copy(a.Dst, a.Src)
}
