package ref

import (
	"math"
	"slices"

	"artel/kernels"
	"artel/rng"
)

func gradDrop(a kernels.GradDrop) {
	J, present, leak, dst := mat(a.J), ivec(a.Present), vec(a.Leak), vec(a.Dst)
	for p := range dst {
		var sum, size float64
		for t := range present {
			if present[t] != 0 {
				sum += J.at(t, p)
				size += math.Abs(J.at(t, p))
			}
		}
		q := 0.5
		if size != 0 {
			q = (1 + sum/size) / 2
		}
		at := uint64(a.Offset + p)
		u := float64(rng.Philox(a.Key, a.Hi, at/4)[at%4]) * 0x1p-32
		var v float64
		for t := range present {
			if present[t] == 0 {
				continue
			}
			g, keep := J.at(t, p), 0.0
			if q > u && g > 0 || q < u && g < 0 {
				keep = 1
			}
			v += (leak[t] + (1-leak[t])*keep) * g
		}
		dst[p] = v
	}
	if a.SumSq.Ok() {
		vec(a.SumSq)[0] += dot(dst, dst)
	}
}

func trimmedMean(a kernels.TrimmedMean) {
	J, present, dst := mat(a.J), ivec(a.Present), vec(a.Dst)
	for p := range dst {
		var column []float64
		for t := range present {
			if present[t] != 0 {
				column = append(column, J.at(t, p))
			}
		}
		dst[p] = 0
		if len(column) == 0 {
			continue
		}
		slices.Sort(column) // NaN first
		if column[0] != column[0] {
			dst[p] = math.NaN()
			continue
		}
		k := min(a.Trim, (len(column)-1)/2)
		kept := column[k : len(column)-k]
		for _, v := range kept {
			dst[p] += v
		}
		dst[p] /= float64(len(kept))
	}
	if a.SumSq.Ok() {
		vec(a.SumSq)[0] += dot(dst, dst)
	}
}

func track(a kernels.Track) {
	Y, J, present, keep, take := mat(a.Y), mat(a.J), ivec(a.Present), vec(a.Keep), vec(a.Take)
	for t := range present {
		if keep[t] == 1 && (take[t] == 0 || present[t] == 0) {
			continue
		}
		for p := range Y.cols {
			v := keep[t] * Y.at(t, p)
			if present[t] != 0 {
				v += take[t] * J.at(t, p)
			}
			*Y.ptr(t, p) = v
		}
	}
}

func excess(a kernels.Excess) {
	S, J, present, dst := mat(a.S), mat(a.J), ivec(a.Present), vec(a.Dst)
	for t := range present {
		if present[t] == 0 {
			continue
		}
		for p := range S.cols {
			sq := J.at(t, p) * J.at(t, p)
			*S.ptr(t, p) += sq
			dst[t] += sq / math.Sqrt(S.at(t, p)+a.Eps)
		}
	}
}

func maskRows(a kernels.MaskRows) {
	J, mask, present := mat(a.J), ivec(a.Mask), ivec(a.Present)
	for t := range present {
		for p := range mask {
			if present[t] != 0 && mask[p] == 0 {
				*J.ptr(t, p) = 0
			}
		}
	}
}

func selectElements(a kernels.Select) {
	dst, src, mask := vec(a.Dst), vec(a.Src), ivec(a.Mask)
	for p := range mask {
		if mask[p] == 0 {
			dst[p] = src[p]
		}
	}
}
