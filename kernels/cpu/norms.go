package cpu

import (
	"math"

	"artel/kernels"
	"artel/tensor"
)

func (b *backend) norms() kernels.Norms {
	rms, rmsGrad := newLoop(b.rmsNormRows), newLoop(b.rmsNormGradRows)
	ln, lnGrad := newLoop(b.layerNormRows), newLoop(b.layerNormGradRows)
	gradW := newLoop(b.normGradWUnits)
	soft, softGrad := newLoop(b.softmaxRows), newLoop(b.softmaxGradRows)
	return kernels.Norms{
		RMSNorm: func(a kernels.RMSNorm) { rms.call(b.pool, a, a.X.Dim(0), 2*a.X.Dim(1)) },
		RMSNormGrad: func(a kernels.RMSNormGrad) {
			if a.DX.Ok() {
				rmsGrad.call(b.pool, a, a.DX.Dim(0), 4*a.DX.Dim(1))
			}
			if a.DstW.Ok() {
				b.normGradW(normW{a.X, a.RStd, a.DY, a.Segs, a.DstW, a.Touched}, gradW)
			}
		},
		LayerNorm: func(a kernels.LayerNorm) { ln.call(b.pool, a, a.X.Dim(0), 2*a.X.Dim(1)) },
		LayerNormGrad: func(a kernels.LayerNormGrad) {
			if a.DX.Ok() {
				lnGrad.call(b.pool, a, a.DX.Dim(0), 4*a.DX.Dim(1))
			}
			if a.DstW.Ok() {
				b.normGradW(normW{a.X, a.Stat, a.DY, a.Segs, a.DstW, a.Touched}, gradW)
			}
		},
		Softmax:     func(a kernels.Softmax) { soft.call(b.pool, a, a.X.Dim(0), 4*a.X.Dim(1)) },
		SoftmaxGrad: func(a kernels.SoftmaxGrad) { softGrad.call(b.pool, a, a.DX.Dim(0), a.DX.Dim(1)) },
	}
}

func (b *backend) rmsNormRows(a *kernels.RMSNorm, lo, hi int) {
	y, x, w, rstd := matrix(a.Y), matrix(a.X), floats(a.W), floats(a.RStd)
	for i := lo; i < hi; i++ {
		src, dst := x.row(i), y.row(i)
		mean := float64(b.vec.Dot(src, src)) / float64(len(src))
		r := float32(1 / math.Sqrt(mean+a.Eps))
		rstd[i] = r
		if w == nil {
			b.vec.Scale(dst, src, r)
		} else {
			b.vec.ScaleMul(dst, src, w, r)
		}
	}
}

func (b *backend) rmsNormGradRows(a *kernels.RMSNormGrad, lo, hi int) {
	dx, x, w, rstd, dy, act := matrix(a.DX), matrix(a.X), floats(a.W), floats(a.RStd), matrix(a.DY), ints(a.Act)
	for c := lo; c < hi; c++ {
		i := of(act, c)
		d, src, g, r := dx.row(c), x.row(i), dy.row(c), rstd[i]
		// k = mean(h*xh) * r with h = g*w and xh = x*r
		var sum float32
		if w == nil {
			sum = b.vec.Dot(g, src)
		} else {
			sum = b.vec.Dot3(g, src, w)
		}
		k := sum * r * r / float32(len(src))
		switch {
		case w == nil && a.Accumulate:
			b.vec.NormGradAdd(d, src, g, 0, r, 0, k)
		case w == nil:
			b.vec.NormGrad(d, src, g, 0, r, 0, k)
		case a.Accumulate:
			b.vec.NormGradMulAdd(d, src, g, w, r, k)
		default:
			b.vec.NormGradMul(d, src, g, w, r, k)
		}
	}
}

// normW is the gradient of a weight of either norm; stat is [N] (1/deviation) or [N,2] (mean and 1/deviation).
type normW struct{ x, stat, dy, segs, dst, touched tensor.Tensor }

// normWColumns is the number of columns that one worker adds up, over all rows.
const normWColumns = 64

func (b *backend) normGradW(a normW, units *loop[normW]) {
	segs, touched := intMatrix(a.segs), ints(a.touched)
	rows := 0
	for k := range segs.n {
		s := segs.segment(k)
		if s.n == 0 {
			continue
		}
		if f := &touched[s.group*a.touched.Stride(0)+s.task*a.touched.Stride(1)]; *f == 0 {
			*f = 1
			clear(a.dst.At(s.group).At(s.task).F32())
		}
		rows += s.n
	}
	units.call(b.pool, a, (a.x.Dim(1)+normWColumns-1)/normWColumns, rows*normWColumns)
}

func (b *backend) normGradWUnits(a *normW, lo, hi int) {
	x, dy, segs, stat := matrix(a.x), matrix(a.dy), intMatrix(a.segs), a.stat.F32()
	c0, c1 := lo*normWColumns, min(hi*normWColumns, x.cols)
	for k := range segs.n {
		s := segs.segment(k)
		if s.n == 0 {
			continue
		}
		dst := a.dst.At(s.group).At(s.task).F32()[c0:c1]
		for n := range s.n {
			i := s.act0 + n
			var mean, r float32
			if a.stat.Rank() == 1 {
				r = stat[i]
			} else {
				mean, r = stat[i*a.stat.Stride(0)], stat[i*a.stat.Stride(0)+1]
			}
			b.vec.NormGradW(dst, x.row(i)[c0:c1], dy.row(s.row0 + n)[c0:c1], mean, r)
		}
	}
}

func (b *backend) layerNormRows(a *kernels.LayerNorm, lo, hi int) {
	y, x, w, bias, stat := matrix(a.Y), matrix(a.X), floats(a.W), floats(a.B), matrix(a.Stat)
	for i := lo; i < hi; i++ {
		src, dst, st := x.row(i), y.row(i), stat.row(i)
		mean, variance := b.moments(src)
		st[0], st[1] = float32(mean), float32(1/math.Sqrt(variance+a.Eps))
		if w != nil && bias != nil {
			b.vec.NormalizeMulAdd(dst, src, w, bias, st[0], st[1])
			continue
		}
		b.vec.Normalize(dst, src, st[0], st[1])
		if w != nil {
			b.vec.Mul(dst, dst, w)
		}
		if bias != nil {
			b.vec.Add(dst, dst, bias)
		}
	}
}

// moments are the mean and the variance of x: of the deviations from a rough mean, so that a mean far from 0 costs no digits.
func (b *backend) moments(x []float32) (mean, variance float64) {
	n := float64(len(x))
	sum, _ := b.vec.Moments(x, 0)
	rough := float32(float64(sum) / n)
	rest, squares := b.vec.Moments(x, rough)
	shift := float64(rest) / n
	return float64(rough) + shift, max(float64(squares)/n-shift*shift, 0)
}

func (b *backend) layerNormGradRows(a *kernels.LayerNormGrad, lo, hi int) {
	dx, x, w, stat, dy, act := matrix(a.DX), matrix(a.X), floats(a.W), matrix(a.Stat), matrix(a.DY), ints(a.Act)
	lent := b.lines.take()
	defer b.lines.giveBack(lent)
	t := lent.parts(1, dx.cols)[0]
	for c := lo; c < hi; c++ {
		i := of(act, c)
		d, src, h, st := dx.row(c), x.row(i), dy.row(c), stat.row(i)
		if w != nil {
			b.vec.Mul(t, h, w)
			h = t
		}
		sum, inner := b.vec.NormSums(src, h, st[0], st[1])
		n := float64(len(src))
		mean, k := float32(float64(sum)/n), float32(float64(inner)/n*float64(st[1]))
		if a.Accumulate {
			b.vec.NormGradAdd(d, src, h, st[0], st[1], mean, k)
		} else {
			b.vec.NormGrad(d, src, h, st[0], st[1], mean, k)
		}
	}
}

// sumRun is the number of terms that are added in float32 before their sum goes to float64.
const sumRun = 1024

// expSum writes e^(x-top) to y for the largest x and returns that and the sum.
func (b *backend) expSum(y, x []float32) (top float32, sum float64) {
	top = b.vec.Max(x)
	for j := 0; j < len(x); j += sumRun {
		k := min(j+sumRun, len(x))
		sum += float64(b.vec.ExpSum(y[j:k], x[j:k], top))
	}
	return top, sum
}

func (b *backend) softmaxRows(a *kernels.Softmax, lo, hi int) {
	y, x := matrix(a.Y), matrix(a.X)
	for i := lo; i < hi; i++ {
		d := y.row(i)
		_, sum := b.expSum(d, x.row(i))
		b.vec.Scale(d, d, float32(1/sum))
	}
}

func (b *backend) softmaxGradRows(a *kernels.SoftmaxGrad, lo, hi int) {
	dx, y, dy, act := matrix(a.DX), matrix(a.Y), matrix(a.DY), ints(a.Act)
	for c := lo; c < hi; c++ {
		p, g, d := y.row(of(act, c)), dy.row(c), dx.row(c)
		inner := b.vec.Dot(p, g)
		if a.Accumulate {
			b.vec.SoftmaxGradAdd(d, p, g, inner)
		} else {
			b.vec.SoftmaxGrad(d, p, g, inner)
		}
	}
}
