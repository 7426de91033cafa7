package ref

import (
	"math"

	"artel/kernels"
	"artel/rng"
)

func gram(a kernels.Gram) {
	J, present, G := mat(a.J), ivec(a.Present), mat(a.G)
	for i := range present {
		for j := range present {
			if present[i] != 0 && present[j] != 0 {
				*G.ptr(i, j) += dot(J.row(i), J.row(j))
			}
		}
	}
}

func crossGram(a kernels.CrossGram) {
	J, K, present, G := mat(a.J), mat(a.K), ivec(a.Present), mat(a.G)
	for i := range present {
		for j := range present {
			if present[i] != 0 && present[j] != 0 {
				*G.ptr(i, j) += dot(J.row(i), K.row(j))
			}
		}
	}
}

func combine(a kernels.Combine) {
	J, present, W, dst := mat(a.J), ivec(a.Present), vec(a.W), vec(a.Dst)
	for p := range dst {
		var sum float64
		for t := range present {
			if present[t] != 0 {
				sum += W[t] * J.at(t, p)
			}
		}
		dst[p] = sum
	}
	if a.SumSq.Ok() {
		vec(a.SumSq)[0] += dot(dst, dst)
	}
}

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

func sumSquares(a kernels.SumSquares) {
	vec(a.Dst)[0] += dot(vec(a.X), vec(a.X))
}
