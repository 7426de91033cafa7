package ref

import "artel/kernels"

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

func sumSquares(a kernels.SumSquares) {
	vec(a.Dst)[0] += dot(vec(a.X), vec(a.X))
}
