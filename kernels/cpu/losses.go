package cpu

import (
	"math"

	"artel/kernels"
	"artel/kernels/cpu/internal/vec"
)

func (b *backend) losses() kernels.Losses {
	return kernels.Losses{
		CrossEntropy: b.crossEntropy, BCE: bce, Regression: regression, Balance: balance, ZLoss: b.zLoss, Metrics: metrics,
	}
}

func (b *backend) crossEntropy(a kernels.CrossEntropy) {
	x, dx, label, loss := matrix(a.X), matrix(a.DX), ints(a.Label), a.Loss.F64()
	v := x.cols
	b.probs = grown(b.probs, v)
	p := b.probs
	scale, smooth := float32(a.Scale), float32(a.Smoothing/float64(v))
	var total float64
	for i := 0; i < x.n; i++ {
		l := int(label[i])
		if l < 0 {
			if a.DX.Ok() {
				clear(dx.row(i))
			}
			continue
		}
		src := x.row(i)
		logSum := softmax(p, src)
		nll := logSum - float64(src[l])
		if a.Smoothing > 0 {
			var sum float64
			for _, u := range src {
				sum += logSum - float64(u)
			}
			nll = (1-a.Smoothing)*nll + a.Smoothing/float64(v)*sum
		}
		total += nll
		if !a.DX.Ok() {
			continue
		}
		d := dx.row(i)
		for j := range d {
			d[j] = scale * (p[j] - smooth)
		}
		d[l] = scale * (p[l] - smooth - float32(1-a.Smoothing))
	}
	loss[0] += a.Scale * total
}

func bce(a kernels.BCE) {
	x, dx, y, loss := matrix(a.X), matrix(a.DX), matrix(a.Target), a.Loss.F64()
	scale := float32(a.Scale)
	var total float64
	for i := 0; i < x.n; i++ {
		t := y.row(i)
		for j, v := range x.row(i) {
			var g float32
			if t[j] == t[j] {
				u := float64(v)
				total += math.Max(u, 0) - u*float64(t[j]) + math.Log1p(math.Exp(-math.Abs(u)))
				g = scale * (vec.Sigmoid(v) - t[j])
			}
			if a.DX.Ok() {
				dx.row(i)[j] = g
			}
		}
	}
	loss[0] += a.Scale * total
}

func regression(a kernels.Regression) {
	x, dx, y, loss := matrix(a.X), matrix(a.DX), matrix(a.Target), a.Loss.F64()
	var total float64
	for i := 0; i < x.n; i++ {
		t := y.row(i)
		for j, v := range x.row(i) {
			var g float64
			if t[j] == t[j] {
				r := float64(v) - float64(t[j])
				switch {
				case a.Delta == 0:
					total += r * r
					g = 2 * r
				case math.Abs(r) > a.Delta:
					total += a.Delta * (math.Abs(r) - a.Delta/2)
					g = math.Copysign(a.Delta, r)
				default:
					total += r * r / 2
					g = r
				}
			}
			if a.DX.Ok() {
				dx.row(i)[j] = float32(a.Scale * g)
			}
		}
	}
	loss[0] += a.Scale * total
}

func balance(a kernels.Balance) {
	p, dp, set, loss := matrix(a.P), matrix(a.DP), ints(a.Set), a.Loss.F64()
	count, rows, weight := ints(a.Count), ints(a.Rows), floats(a.Weight)
	e := p.cols
	var total float64
	for i := 0; i < p.n; i++ {
		d, s := dp.row(i), int(set[i])
		clear(d)
		if s < 0 {
			continue
		}
		c := count[s*a.Count.Stride(0):][:e]
		var picks int64
		for _, n := range c {
			picks += int64(n)
		}
		if picks == 0 {
			continue
		}
		k := a.Scale * float64(weight[s]) * float64(e) / (float64(picks) * float64(rows[s]))
		for j, v := range p.row(i) {
			g := k * float64(c[j])
			d[j] = float32(g)
			total += g * float64(v)
		}
	}
	loss[0] += total
}

func (b *backend) zLoss(a kernels.ZLoss) {
	x, dx, loss := matrix(a.X), matrix(a.DX), a.Loss.F64()
	var total float64
	for i := 0; i < x.n; i++ {
		d := dx.row(i)
		z := softmax(d, x.row(i))
		total += z * z
		b.vec.Scale(d, d, float32(a.Scale*2*z))
	}
	loss[0] += a.Scale * total
}

func metrics(a kernels.Metrics) {
	x, label, correct, pred := matrix(a.X), ints(a.Label), a.Correct.I32(), ints(a.Pred)
	for i := 0; i < x.n; i++ {
		row := x.row(i)
		best := 0
		for j, v := range row {
			if v > row[best] || row[best] != row[best] && v == v {
				best = j
			}
		}
		if pred != nil {
			pred[i] = int32(best)
		}
		if label[i] < 0 {
			continue
		}
		correct[1]++
		if int32(best) == label[i] {
			correct[0]++
		}
	}
}
