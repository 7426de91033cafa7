package ref

import (
	"artel/kernels"
	"artel/kernels/internal/host"
	"artel/tensor"
)

func gemm(a kernels.GEMM) {
	A, B, C, bias := mat(a.A), mat(a.B), mat(a.C), vec(a.Bias)
	pre, scale, residual, f := mat(a.Pre), vec(a.Scale), mat(a.Residual), functions[a.F].value
	for i := 0; i < C.rows; i++ {
		for j := 0; j < C.cols; j++ {
			sum := rowByColumn(A, i, B, j)
			if bias != nil {
				sum += bias[j]
			}
			if a.Pre.Ok() {
				*pre.ptr(i, j) = sum
			}
			sum = weight(scale, i) * f(sum)
			if a.Residual.Ok() {
				sum += residual.at(i, j)
			}
			put(C.ptr(i, j), sum, a.Accumulate)
		}
	}
}

// rowByColumn is sum over p of A[i,p]*B[p,j].
func rowByColumn(A grid[float64], i int, B grid[float64], j int) (sum float64) {
	a, b := i*A.rs, j*B.cs
	for p := 0; p < A.cols; p++ {
		sum += A.s[a] * B.s[b]
		a += A.cs
		b += B.rs
	}
	return sum
}

func groupedGEMM(a kernels.GroupedGEMM) {
	A, C, rows, off := mat(a.A), mat(a.C), index(ivec(a.Index)), ivec(a.Off)
	for g := 0; g+1 < len(off); g++ {
		B := mat(a.B.At(g))
		for r := int(off[g]); r < int(off[g+1]); r++ {
			for j := 0; j < C.cols; j++ {
				*C.ptr(r, j) = rowByColumn(A, rows.of(r), B, j)
			}
		}
	}
}

func gradW(a kernels.GradW) {
	X, DY, xi, yi := mat(a.X), mat(a.DY), index(ivec(a.XIndex)), index(ivec(a.YIndex))
	eachSegment(a.Segs, a.Touched, func(s segment, touched bool) {
		dst := mat(destination(a.Dst, s))
		for p := 0; p < dst.rows; p++ {
			for j := 0; j < dst.cols; j++ {
				var sum float64
				for i := 0; i < s.n; i++ {
					sum += X.at(xi.of(s.act0+i), p) * DY.at(yi.of(s.row0+i), j)
				}
				put(dst.ptr(p, j), sum, touched)
			}
		}
	})
}

func gradB(a kernels.GradB) {
	DY := mat(a.DY)
	eachSegment(a.Segs, a.Touched, func(s segment, touched bool) {
		for j, dst := 0, vec(destination(a.Dst, s)); j < len(dst); j++ {
			var sum float64
			for i := 0; i < s.n; i++ {
				sum += DY.at(s.row0+i, j)
			}
			put(&dst[j], sum, touched)
		}
	})
}

// destination returns dst[group][task].
func destination(dst tensor.Tensor, s segment) tensor.Tensor { return dst.At(s.group).At(s.task) }

func embed(a kernels.Embed) {
	table, dst, ids, off := mat(a.Table), mat(a.Dst), ivec(a.IDs), ivec(a.Off)
	for i := 0; i < dst.rows; i++ {
		lo, hi, scale := bag(off, i, a.Mean)
		for d := 0; d < dst.cols; d++ {
			var sum float64
			for _, id := range ids[lo:hi] {
				sum += table.at(int(id), d)
			}
			*dst.ptr(i, d) = scale * sum
		}
	}
}

func embedGrad(a kernels.EmbedGrad) {
	DY, ids, off := mat(a.DY), ivec(a.IDs), ivec(a.Off)
	eachSegment(a.Segs, a.Touched, func(s segment, touched bool) {
		d := destination(a.Dst, s)
		if !touched {
			host.Fill(d, 0)
		}
		dst := mat(d)
		for i := 0; i < s.n; i++ {
			lo, hi, scale := bag(off, s.act0+i, a.Mean)
			for _, id := range ids[lo:hi] {
				for j, v := range DY.row(s.row0 + i) {
					*dst.ptr(int(id), j) += scale * v
				}
			}
		}
	})
}

// bag returns the range of ids of row i and the factor of its sum.
func bag(off []int32, i int, mean bool) (lo, hi int, scale float64) {
	if off == nil {
		return i, i + 1, 1
	}
	lo, hi, scale = int(off[i]), int(off[i+1]), 1
	if mean && hi > lo {
		scale = 1 / float64(hi-lo)
	}
	return lo, hi, scale
}
