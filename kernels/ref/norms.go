package ref

import (
	"math"

	"artel/kernels"
	"artel/tensor"
)

func rmsNorm(a kernels.RMSNorm) {
	X, Y, W, rstd := mat(a.X), mat(a.Y), vec(a.W), vec(a.RStd)
	for i := 0; i < X.rows; i++ {
		x := X.row(i)
		rstd[i] = 1 / math.Sqrt(dot(x, x)/float64(len(x))+a.Eps)
		for j := range x {
			*Y.ptr(i, j) = x[j] * rstd[i] * weight(W, j)
		}
	}
}

func rmsNormGrad(a kernels.RMSNormGrad) {
	X, rstd := mat(a.X), vec(a.RStd)
	normalized := func(r, j int) float64 { return X.at(r, j) * rstd[r] }
	if a.DX.Ok() {
		DX, DY, W, act := mat(a.DX), mat(a.DY), vec(a.W), index(ivec(a.Act))
		for c := 0; c < DX.rows; c++ {
			r := act.of(c)
			var hx float64 // mean(h*xh)
			for j, dy := range DY.row(c) {
				hx += dy * weight(W, j) * normalized(r, j) / float64(DX.cols)
			}
			for j, dy := range DY.row(c) {
				put(DX.ptr(c, j), rstd[r]*(dy*weight(W, j)-normalized(r, j)*hx), a.Accumulate)
			}
		}
	}
	if a.DstW.Ok() {
		normGradW(a.DstW, a.Touched, a.Segs, a.DY, normalized)
	}
}

// normGradW sums dY[row,:] * xh over the rows of every segment, where xh is the normalized activation.
func normGradW(dstW, touched, segs, dY tensor.Tensor, xh func(r, j int) float64) {
	DY := mat(dY)
	eachSegment(segs, touched, func(s segment, touched bool) {
		for j, dst := 0, vec(destination(dstW, s)); j < len(dst); j++ {
			var sum float64
			for i := 0; i < s.n; i++ {
				sum += DY.at(s.row0+i, j) * xh(s.act0+i, j)
			}
			put(&dst[j], sum, touched)
		}
	})
}

func layerNorm(a kernels.LayerNorm) {
	X, Y, W, B, stat := mat(a.X), mat(a.Y), vec(a.W), vec(a.B), mat(a.Stat)
	for i := 0; i < X.rows; i++ {
		x, D := X.row(i), float64(X.cols)
		mean := sumOf(x) / D
		var squares float64
		for _, v := range x {
			squares += (v - mean) * (v - mean)
		}
		rstd := 1 / math.Sqrt(squares/D+a.Eps)
		*stat.ptr(i, 0), *stat.ptr(i, 1) = mean, rstd
		for j, v := range x {
			y := (v - mean) * rstd * weight(W, j)
			if B != nil {
				y += B[j]
			}
			*Y.ptr(i, j) = y
		}
	}
}

func layerNormGrad(a kernels.LayerNormGrad) {
	X, stat := mat(a.X), mat(a.Stat)
	normalized := func(r, j int) float64 { return (X.at(r, j) - stat.at(r, 0)) * stat.at(r, 1) }
	if a.DX.Ok() {
		DX, DY, W, act := mat(a.DX), mat(a.DY), vec(a.W), index(ivec(a.Act))
		for c := 0; c < DX.rows; c++ {
			r := act.of(c)
			var hm, hx float64 // mean(h), mean(h*xh)
			for j, dy := range DY.row(c) {
				h := dy * weight(W, j)
				hm += h / float64(DX.cols)
				hx += h * normalized(r, j) / float64(DX.cols)
			}
			for j, dy := range DY.row(c) {
				put(DX.ptr(c, j), stat.at(r, 1)*(dy*weight(W, j)-hm-normalized(r, j)*hx), a.Accumulate)
			}
		}
	}
	if a.DstW.Ok() {
		normGradW(a.DstW, a.Touched, a.Segs, a.DY, normalized)
	}
}

func softmax(a kernels.Softmax) {
	X, Y := mat(a.X), mat(a.Y)
	for i := 0; i < X.rows; i++ {
		softmaxRow(Y.row(i), X.row(i))
	}
}

// softmaxRow sets p = softmax(x), which may be the same memory, and returns log sum_j exp(x_j).
func softmaxRow(p, x []float64) (logSum float64) {
	peak := math.Inf(-1)
	for _, v := range x {
		peak = math.Max(peak, v)
	}
	var sum float64
	for j, v := range x {
		p[j] = math.Exp(v - peak)
		sum += p[j]
	}
	for j := range p {
		p[j] /= sum
	}
	return peak + math.Log(sum)
}

func softmaxGrad(a kernels.SoftmaxGrad) {
	Y, DY, DX, act := mat(a.Y), mat(a.DY), mat(a.DX), index(ivec(a.Act))
	for c := 0; c < DX.rows; c++ {
		y, dy := Y.row(act.of(c)), DY.row(c)
		inner := dot(y, dy)
		for j := range dy {
			put(DX.ptr(c, j), y[j]*(dy[j]-inner), a.Accumulate)
		}
	}
}
