package ref

import (
	"artel/kernels"
)

func topK(a kernels.TopK) {
	X, src, idx, value := mat(a.X), mat(a.X), imat(a.Index), mat(a.Value)
	if a.Src.Ok() {
		src = mat(a.Src)
	}
	for i := 0; i < X.rows; i++ {
		x, picked := X.row(i), idx.row(i)
		for k := range picked {
			best := -1
			for j := range x {
				if !contains(picked[:k], int32(j)) && (best < 0 || larger(x[j], x[best])) {
					best = j
				}
			}
			picked[k] = int32(best)
			*value.ptr(i, k) = src.at(i, best)
		}
	}
}

func contains(s []int32, v int32) bool {
	for _, w := range s {
		if v == w {
			return true
		}
	}
	return false
}

func topKGrad(a kernels.TopKGrad) {
	DX, DV, idx, act := mat(a.DX), mat(a.DV), imat(a.Index), index(ivec(a.Act))
	for c := 0; c < DX.rows; c++ {
		if !a.Accumulate {
			clear(DX.row(c))
		}
		for k, j := range idx.row(act.of(c)) {
			if j >= 0 {
				*DX.ptr(c, int(j)) += DV.at(c, k)
			}
		}
	}
}

func rowNormalize(a kernels.RowNormalize) {
	X, Y := mat(a.X), mat(a.Y)
	for i := 0; i < X.rows; i++ {
		total := sumOf(X.row(i))
		for j, x := range X.row(i) {
			*Y.ptr(i, j) = x / total
		}
	}
}

func rowNormalizeGrad(a kernels.RowNormalizeGrad) {
	X, Y, DY, DX, act := mat(a.X), mat(a.Y), mat(a.DY), mat(a.DX), index(ivec(a.Act))
	for c := 0; c < DX.rows; c++ {
		r := act.of(c)
		total, inner := sumOf(X.row(r)), dot(DY.row(c), Y.row(r))
		for j, dy := range DY.row(c) {
			put(DX.ptr(c, j), (dy-inner)/total, a.Accumulate)
		}
	}
}

func sumOf(x []float64) (s float64) {
	for _, v := range x {
		s += v
	}
	return s
}

func gatherSum(a kernels.GatherSum) {
	src, inv, W, dst := mat(a.Src), imat(a.Inv), mat(a.W), mat(a.Dst)
	for t := 0; t < dst.rows; t++ {
		for j := 0; j < dst.cols; j++ {
			var sum float64
			for k, r := range inv.row(t) {
				switch {
				case r < 0:
				case a.W.Ok():
					sum += W.at(t, k) * src.at(int(r), j)
				default:
					sum += src.at(int(r), j)
				}
			}
			put(dst.ptr(t, j), sum, a.Accumulate)
		}
	}
}

func countPicks(a kernels.CountPicks) {
	idx, set, count, rows := imat(a.Index), ivec(a.Set), imat(a.Count), ivec(a.Rows)
	clear(rows)
	for s := 0; s < count.rows; s++ {
		clear(count.row(s))
	}
	for i, s := range set {
		if s < 0 {
			continue
		}
		rows[s]++
		for _, e := range idx.row(i) {
			if e >= 0 {
				count.row(int(s))[e]++
			}
		}
	}
}
