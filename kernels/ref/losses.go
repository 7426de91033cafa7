package ref

import (
	"math"

	"artel/kernels"
)

func crossEntropy(a kernels.CrossEntropy) {
	X, DX, label := mat(a.X), mat(a.DX), ivec(a.Label)
	var sum float64
	for i := range label {
		if label[i] < 0 {
			if a.DX.Ok() {
				clear(DX.row(i))
			}
			continue
		}
		logSum := logSumExp(X.row(i))
		for j, x := range X.row(i) {
			q := a.Smoothing / float64(X.cols)
			if j == int(label[i]) {
				q += 1 - a.Smoothing
			}
			logP := x - logSum
			if q != 0 { // 0 * log 0 = 0
				sum -= q * logP
			}
			if a.DX.Ok() {
				*DX.ptr(i, j) = a.Scale * (math.Exp(logP) - q)
			}
		}
	}
	vec(a.Loss)[0] += a.Scale * sum
}

// logSumExp is log sum_j exp(x_j), computed from the largest entry so that it does not overflow.
func logSumExp(x []float64) float64 {
	peak := math.Inf(-1)
	for _, v := range x {
		peak = math.Max(peak, v)
	}
	var sum float64
	for _, v := range x {
		sum += math.Exp(v - peak)
	}
	return peak + math.Log(sum)
}

func bce(a kernels.BCE) {
	X, target, DX := mat(a.X), mat(a.Target), mat(a.DX)
	var sum float64
	for i := 0; i < X.rows; i++ {
		for j, x := range X.row(i) {
			y := target.at(i, j)
			var dx float64
			if !math.IsNaN(y) {
				// -log sigmoid(x) = max(-x,0) + log(1+exp(-|x|)), and -log(1-sigmoid(x)) is that plus x.
				sum += math.Max(-x, 0) + math.Log1p(math.Exp(-math.Abs(x))) + (1-y)*x
				dx = a.Scale * (sigmoid(x) - y)
			}
			if a.DX.Ok() {
				*DX.ptr(i, j) = dx
			}
		}
	}
	vec(a.Loss)[0] += a.Scale * sum
}

func regression(a kernels.Regression) {
	X, target, DX := mat(a.X), mat(a.Target), mat(a.DX)
	var sum float64
	for i := 0; i < X.rows; i++ {
		for j, x := range X.row(i) {
			r := x - target.at(i, j)
			var l, slope float64
			switch {
			case math.IsNaN(target.at(i, j)): // ignored
			case a.Delta == 0:
				l, slope = r*r, 2*r
			case math.Abs(r) > a.Delta:
				l, slope = a.Delta*(math.Abs(r)-a.Delta/2), math.Copysign(a.Delta, r)
			default:
				l, slope = r*r/2, r
			}
			sum += l
			if a.DX.Ok() {
				*DX.ptr(i, j) = a.Scale * slope
			}
		}
	}
	vec(a.Loss)[0] += a.Scale * sum
}

func balance(a kernels.Balance) {
	P, DP, count, set, weight, rows := mat(a.P), mat(a.DP), imat(a.Count), ivec(a.Set), vec(a.Weight), ivec(a.Rows)
	var sum float64
	for i, s := range set {
		var picks int32
		if s >= 0 {
			for _, n := range count.row(int(s)) {
				picks += n
			}
		}
		if picks == 0 {
			clear(DP.row(i))
			continue
		}
		for e, p := range P.row(i) {
			f := float64(count.at(int(s), e)) / float64(picks)
			d := a.Scale * weight[s] * float64(P.cols) * f / float64(rows[s])
			sum += d * p
			*DP.ptr(i, e) = d
		}
	}
	vec(a.Loss)[0] += sum
}

func zLoss(a kernels.ZLoss) {
	X, DX := mat(a.X), mat(a.DX)
	var sum float64
	for i := 0; i < X.rows; i++ {
		z := logSumExp(X.row(i))
		sum += z * z
		for j, x := range X.row(i) {
			*DX.ptr(i, j) = a.Scale * 2 * z * math.Exp(x-z)
		}
	}
	vec(a.Loss)[0] += a.Scale * sum
}

func metrics(a kernels.Metrics) {
	X, pred, correct := mat(a.X), ivec(a.Pred), ivec(a.Correct)
	for i, label := range ivec(a.Label) {
		x := X.row(i)
		best := 0
		for j := range x {
			if larger(x[j], x[best]) {
				best = j
			}
		}
		if pred != nil {
			pred[i] = int32(best)
		}
		if int(label) == best {
			correct[0]++
		}
		if label >= 0 {
			correct[1]++
		}
	}
}

// larger orders values with NaN below everything else.
func larger(x, y float64) bool { return x > y || math.IsNaN(y) && !math.IsNaN(x) }
