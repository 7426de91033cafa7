package ref

import (
	"artel/dtype"
	"artel/kernels"
	"artel/kernels/internal/host"
)

func axpy(a kernels.Axpy) {
	alpha, ok := times(a.Alpha, a.By)
	if !ok {
		return
	}
	dst, src := a.Dst.F64(), a.Src.F64()
	host.Each(a.Dst, a.Src, func(i, j int) { put(&dst[i], alpha*src[j], a.Accumulate) })
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

func gatherCols(a kernels.GatherCols) {
	dst, src, index := mat(a.Dst), mat(a.Src), ivec(a.Index)
	for i := 0; i < dst.rows; i++ {
		for j, c := range index {
			*dst.ptr(i, j) = src.at(i, int(c))
		}
	}
}

func scatterCols(a kernels.ScatterCols) {
	dst, src, index := mat(a.Dst), mat(a.Src), ivec(a.Index)
	for i := 0; i < dst.rows; i++ {
		for j := 0; j < dst.cols && !a.Accumulate; j++ {
			*dst.ptr(i, j) = 0
		}
		for j, c := range index {
			*dst.ptr(i, int(c)) += src.at(i, j)
		}
	}
}
