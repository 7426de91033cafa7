package cpu

import (
	"math"

	"artel/kernels"
	"artel/kernels/cpu/internal/vec"
)

func (b *backend) norms() kernels.Norms {
	rms, rmsGrad := newLoop(b.rmsNormRows), newLoop(b.rmsNormGradRows)
	ln, lnGrad := newLoop(b.layerNormRows), newLoop(b.layerNormGradRows)
	soft, softGrad := newLoop(softmaxRows), newLoop(b.softmaxGradRows)
	return kernels.Norms{
		RMSNorm: func(a kernels.RMSNorm) { rms.call(b.pool, a, a.X.Dim(0), 2*a.X.Dim(1)) },
		RMSNormGrad: func(a kernels.RMSNormGrad) {
			if a.DX.Ok() {
				rmsGrad.call(b.pool, a, a.DX.Dim(0), 4*a.DX.Dim(1))
			}
			if a.DstW.Ok() {
				b.normGradW(a)
			}
		},
		LayerNorm: func(a kernels.LayerNorm) { ln.call(b.pool, a, a.X.Dim(0), 2*a.X.Dim(1)) },
		LayerNormGrad: func(a kernels.LayerNormGrad) {
			if a.DX.Ok() {
				lnGrad.call(b.pool, a, a.DX.Dim(0), 4*a.DX.Dim(1))
			}
			if a.DstW.Ok() {
				b.layerNormGradW(a)
			}
		},
		Softmax:     func(a kernels.Softmax) { soft.call(b.pool, a, a.X.Dim(0), 8*a.X.Dim(1)) },
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
		b.vec.Scale(dst, src, r)
		for j, v := range w {
			dst[j] *= v
		}
	}
}

func (b *backend) rmsNormGradRows(a *kernels.RMSNormGrad, lo, hi int) {
	dx, x, w, rstd, dy, act := matrix(a.DX), matrix(a.X), floats(a.W), floats(a.RStd), matrix(a.DY), ints(a.Act)
	for c := lo; c < hi; c++ {
		i := of(act, c)
		d, src, g, r := dx.row(c), x.row(i), dy.row(c), rstd[i]
		// mean(h*xh) with h = g*w and xh = x*r
		var sum float32
		if w == nil {
			sum = b.vec.Dot(g, src)
		} else {
			for j, v := range w {
				sum += g[j] * v * src[j]
			}
		}
		k := sum * r * r / float32(len(src))
		for j, v := range src {
			h := g[j]
			if w != nil {
				h *= w[j]
			}
			put(&d[j], r*(h-v*k), a.Accumulate)
		}
	}
}

func (b *backend) normGradW(a kernels.RMSNormGrad) {
	x, rstd, dy, segs := matrix(a.X), floats(a.RStd), matrix(a.DY), intMatrix(a.Segs)
	for k := 0; k < segs.n; k++ {
		s := segs.segment(k)
		if s.n == 0 {
			continue
		}
		dst := a.DstW.At(s.group).At(s.task).F32()
		if f := &ints(a.Touched)[s.group*a.Touched.Stride(0)+s.task*a.Touched.Stride(1)]; *f == 0 {
			*f = 1
			clear(dst)
		}
		for n := 0; n < s.n; n++ {
			g, src, r := dy.row(s.row0+n), x.row(s.act0+n), rstd[s.act0+n]
			for j, v := range src {
				dst[j] += g[j] * (v * r)
			}
		}
	}
}

func (b *backend) layerNormRows(a *kernels.LayerNorm, lo, hi int) {
	y, x, w, bias, stat := matrix(a.Y), matrix(a.X), floats(a.W), floats(a.B), matrix(a.Stat)
	for i := lo; i < hi; i++ {
		src, dst, st := x.row(i), y.row(i), stat.row(i)
		var sum float64
		for _, v := range src {
			sum += float64(v)
		}
		mean := sum / float64(len(src))
		var sq float64
		for _, v := range src {
			sq += (float64(v) - mean) * (float64(v) - mean)
		}
		st[0], st[1] = float32(mean), float32(1/math.Sqrt(sq/float64(len(src))+a.Eps))
		for j, v := range src {
			h := (v - st[0]) * st[1]
			if w != nil {
				h *= w[j]
			}
			if bias != nil {
				h += bias[j]
			}
			dst[j] = h
		}
	}
}

func (b *backend) layerNormGradRows(a *kernels.LayerNormGrad, lo, hi int) {
	dx, x, w, stat, dy, act := matrix(a.DX), matrix(a.X), floats(a.W), matrix(a.Stat), matrix(a.DY), ints(a.Act)
	for c := lo; c < hi; c++ {
		i := of(act, c)
		d, src, g, st := dx.row(c), x.row(i), dy.row(c), stat.row(i)
		var sum, sumX float64
		for j, v := range src {
			h := float64(g[j])
			if w != nil {
				h *= float64(w[j])
			}
			sum += h
			sumX += h * float64((v-st[0])*st[1])
		}
		n := float64(len(src))
		mean, meanX := sum/n, sumX/n
		for j, v := range src {
			h := float64(g[j])
			if w != nil {
				h *= float64(w[j])
			}
			dv := float64(st[1]) * (h - mean - float64((v-st[0])*st[1])*meanX)
			if a.Accumulate {
				dv += float64(d[j])
			}
			d[j] = float32(dv)
		}
	}
}

func (b *backend) layerNormGradW(a kernels.LayerNormGrad) {
	x, stat, dy, segs := matrix(a.X), matrix(a.Stat), matrix(a.DY), intMatrix(a.Segs)
	for k := 0; k < segs.n; k++ {
		s := segs.segment(k)
		if s.n == 0 {
			continue
		}
		dst := a.DstW.At(s.group).At(s.task).F32()
		if f := &ints(a.Touched)[s.group*a.Touched.Stride(0)+s.task*a.Touched.Stride(1)]; *f == 0 {
			*f = 1
			clear(dst)
		}
		for n := 0; n < s.n; n++ {
			g, src, st := dy.row(s.row0+n), x.row(s.act0+n), stat.row(s.act0+n)
			for j, v := range src {
				dst[j] += g[j] * ((v - st[0]) * st[1])
			}
		}
	}
}

// softmax writes softmax(x) to y and returns max(x) and log sum exp(x).
func softmax(y, x []float32) (logSum float64) {
	top := float32(math.Inf(-1))
	for _, v := range x {
		if v > top || v != v {
			top = v
		}
	}
	var sum float64
	for j, v := range x {
		e := vec.Exp(v - top)
		y[j] = e
		sum += float64(e)
	}
	r := float32(1 / sum)
	for j := range y {
		y[j] *= r
	}
	return float64(top) + math.Log(sum)
}

func softmaxRows(a *kernels.Softmax, lo, hi int) {
	y, x := matrix(a.Y), matrix(a.X)
	for i := lo; i < hi; i++ {
		softmax(y.row(i), x.row(i))
	}
}

func (b *backend) softmaxGradRows(a *kernels.SoftmaxGrad, lo, hi int) {
	dx, y, dy, act := matrix(a.DX), matrix(a.Y), matrix(a.DY), ints(a.Act)
	for c := lo; c < hi; c++ {
		p, g, d := y.row(of(act, c)), dy.row(c), dx.row(c)
		inner := b.vec.Dot(p, g)
		for j, v := range p {
			put(&d[j], v*(g[j]-inner), a.Accumulate)
		}
	}
}
