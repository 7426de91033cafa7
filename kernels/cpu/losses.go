package cpu

import (
	"math"

	"artel/kernels"
)

func (b *backend) losses() kernels.Losses {
	ce, bce, bal, z := newLoop(b.crossEntropyRows), newLoop(b.bceRows), newLoop(b.balanceRows), newLoop(b.zLossRows)
	return kernels.Losses{
		CrossEntropy: func(a kernels.CrossEntropy) {
			b.sums = grown(b.sums, a.X.Dim(0))
			ce.call(b.pool, a, a.X.Dim(0), 4*a.X.Dim(1))
			b.addLoss(a.Loss.F64(), a.Scale)
		},
		BCE: func(a kernels.BCE) {
			b.sums = grown(b.sums, a.X.Dim(0))
			bce.call(b.pool, a, a.X.Dim(0), 4*a.X.Dim(1))
			b.addLoss(a.Loss.F64(), a.Scale)
		},
		Regression: regression,
		Balance: func(a kernels.Balance) {
			b.sums = grown(b.sums, a.P.Dim(0))
			b.share(&a)
			bal.call(b.pool, a, a.P.Dim(0), a.P.Dim(1))
			b.addLoss(a.Loss.F64(), 1)
		},
		ZLoss: func(a kernels.ZLoss) {
			b.sums = grown(b.sums, a.X.Dim(0))
			z.call(b.pool, a, a.X.Dim(0), 4*a.X.Dim(1))
			b.addLoss(a.Loss.F64(), a.Scale)
		},
		Metrics: metrics,
	}
}

// addLoss adds up b.sums, one number for each row, in order.
func (b *backend) addLoss(loss []float64, scale float64) {
	var total float64
	for _, v := range b.sums {
		total += v
	}
	loss[0] += scale * total
}

func (b *backend) crossEntropyRows(a *kernels.CrossEntropy, lo, hi int) {
	x, dx, label := matrix(a.X), matrix(a.DX), ints(a.Label)
	v, smooth := float64(x.cols), a.Smoothing/float64(x.cols)
	lent := b.lines.take()
	defer b.lines.giveBack(lent)
	d := lent.parts(1, x.cols)[0]
	for i := lo; i < hi; i++ {
		if a.DX.Ok() {
			d = dx.row(i)
		}
		l := int(label[i])
		if b.sums[i] = 0; l < 0 {
			if a.DX.Ok() {
				clear(d)
			}
			continue
		}
		src := x.row(i)
		own, top := src[l], b.vec.Max(src)
		var rest float64 // sum of logits less the largest
		for j := 0; a.Smoothing > 0 && j < len(src); j += sumRun {
			sum, _ := b.vec.Moments(src[j:min(j+sumRun, len(src))], top)
			rest += float64(sum)
		}
		_, sum := b.expSum(d, src) // d may be src
		logSum := math.Log(sum)
		nll := logSum - (float64(own) - float64(top))
		if a.Smoothing > 0 {
			nll = (1-a.Smoothing)*nll + smooth*(v*logSum-rest)
		}
		b.sums[i] = nll
		if a.DX.Ok() {
			e := d[l]
			b.vec.Affine(d, d, float32(a.Scale/sum), float32(-a.Scale*smooth))
			d[l] = float32(a.Scale * (float64(e)/sum - smooth - (1 - a.Smoothing)))
		}
	}
}

func (b *backend) bceRows(a *kernels.BCE, lo, hi int) {
	x, dx, y := matrix(a.X), matrix(a.DX), matrix(a.Target)
	lent := b.scratch.take()
	defer b.scratch.giveBack(lent)
	for i := lo; i < hi; i++ {
		b.sums[i] = 0
		src, target := x.row(i), y.row(i)
		for j := 0; j < len(src); j += sumRun {
			k := min(j+sumRun, len(src))
			d := lent.Buffer()[:k-j]
			if a.DX.Ok() {
				d = dx.row(i)[j:k]
			}
			b.sums[i] += float64(b.vec.BCE(d, src[j:k], target[j:k], float32(a.Scale)))
		}
	}
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

// share computes the gradient of Balance, which the rows of a set have in common.
func (b *backend) share(a *kernels.Balance) {
	count, rows, weight, e := intMatrix(a.Count), ints(a.Rows), floats(a.Weight), a.P.Dim(1)
	b.shares = grown(b.shares, count.n*e)
	for s := range count.n {
		c, out := count.row(s)[:e], b.shares[s*e:(s+1)*e]
		var picks int64
		for _, n := range c {
			picks += int64(n)
		}
		clear(out)
		if picks == 0 || rows[s] == 0 {
			continue
		}
		k := a.Scale * float64(weight[s]) * float64(e) / (float64(picks) * float64(rows[s]))
		for j, n := range c {
			out[j] = float32(k * float64(n))
		}
	}
}

func (b *backend) balanceRows(a *kernels.Balance, lo, hi int) {
	p, dp, set := matrix(a.P), matrix(a.DP), ints(a.Set)
	for i := lo; i < hi; i++ {
		d, s := dp.row(i), int(set[i])
		if b.sums[i] = 0; s < 0 {
			clear(d)
			continue
		}
		copy(d, b.shares[s*p.cols:(s+1)*p.cols])
		b.sums[i] = float64(b.vec.Dot(d, p.row(i)))
	}
}

func (b *backend) zLossRows(a *kernels.ZLoss, lo, hi int) {
	x, dx := matrix(a.X), matrix(a.DX)
	for i := lo; i < hi; i++ {
		d := dx.row(i)
		top, sum := b.expSum(d, x.row(i))
		z := float64(top) + math.Log(sum)
		b.sums[i] = z * z
		b.vec.Scale(d, d, float32(a.Scale*2*z/sum))
	}
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
