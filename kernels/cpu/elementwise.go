package cpu

import (
	"math"

	"artel/kernels"
	"artel/kernels/cpu/internal/vec"
	"artel/rng"
)

func (b *backend) elementwise() kernels.Elementwise {
	mapped, mapGrad, mul := newLoop(b.mapRows), newLoop(b.mapGradRows), newLoop(mulRows)
	gated, gatedGrad := newLoop(b.gatedRows), newLoop(b.gatedGradRows)
	scale, dot, add := newLoop(b.rowScaleRows), newLoop(b.rowDotRows), newLoop(addByRowRows)
	drop, noise := newLoop(b.dropoutRows), newLoop(noiseRows)
	return kernels.Elementwise{
		Map:     func(a kernels.Map) { mapped.call(b.pool, a, a.Dst.Dim(0), 8*a.Dst.Dim(1)) },
		MapGrad: func(a kernels.MapGrad) { mapGrad.call(b.pool, a, a.DX.Dim(0), 8*a.DX.Dim(1)) },
		Mul:     func(a kernels.Mul) { mul.call(b.pool, a, a.Dst.Dim(0), a.Dst.Dim(1)) },
		Gated: func(a kernels.Gated) {
			gated.call(b.pool, a, limit(a.A.Dim(0), ints(a.Rows)), 4*a.A.Dim(1))
		},
		GatedGrad: func(a kernels.GatedGrad) {
			gatedGrad.call(b.pool, a, limit(a.DH.Dim(0), ints(a.Rows)), 4*a.DH.Dim(1))
		},
		RowScale: func(a kernels.RowScale) { scale.call(b.pool, a, a.Dst.Dim(0), a.Dst.Dim(1)) },
		RowDot:   func(a kernels.RowDot) { dot.call(b.pool, a, a.Y.Dim(0), a.Y.Dim(1)) },
		Dropout:  func(a kernels.Dropout) { drop.call(b.pool, a, a.Dst.Dim(0), 2*a.Dst.Dim(1)) },
		AddByRow: func(a kernels.AddByRow) { add.call(b.pool, a, a.Dst.Dim(0), a.Dst.Dim(1)) },
		Noise:    func(a kernels.Noise) { noise.call(b.pool, a, a.Dst.Dim(0), 32*a.Dst.Dim(1)) },
	}
}

// limit is the number of rows to process when a count is given.
func limit(n int, count []int32) int {
	if count == nil {
		return n
	}
	return int(count[0])
}

// f32 functions of one variable and their derivatives; exact ones go through float64.
func apply(f kernels.Unary, x float32) float32 {
	v := float64(x)
	switch f {
	case kernels.ReLU:
		if x > 0 || x != x {
			return x
		}
		return 0
	case kernels.GELU:
		return float32(v * 0.5 * math.Erfc(-v/math.Sqrt2))
	case kernels.SiLU:
		return x * vec.Sigmoid(x)
	case kernels.Sigmoid:
		return vec.Sigmoid(x)
	case kernels.Tanh:
		return float32(math.Tanh(v))
	case kernels.Exp:
		return float32(math.Exp(v))
	case kernels.Log:
		return float32(math.Log(v))
	case kernels.Square:
		return x * x
	case kernels.Softplus:
		return float32(math.Max(v, 0) + math.Log1p(math.Exp(-math.Abs(v))))
	}
	return x
}

func derivative(f kernels.Unary, x float32) float32 {
	v := float64(x)
	switch f {
	case kernels.ReLU:
		if x > 0 {
			return 1
		}
		if x != x {
			return x
		}
		return 0
	case kernels.GELU:
		return float32(0.5*math.Erfc(-v/math.Sqrt2) + v*math.Exp(-v*v/2)/math.Sqrt(2*math.Pi))
	case kernels.SiLU:
		s := vec.Sigmoid(x)
		return s + x*s*(1-s)
	case kernels.Sigmoid:
		s := vec.Sigmoid(x)
		return s * (1 - s)
	case kernels.Tanh:
		t := math.Tanh(v)
		return float32(1 - t*t)
	case kernels.Exp:
		return float32(math.Exp(v))
	case kernels.Log:
		return 1 / x
	case kernels.Square:
		return 2 * x
	case kernels.Softplus:
		return vec.Sigmoid(x)
	}
	return 1
}

func (b *backend) mapRows(a *kernels.Map, lo, hi int) {
	dst, x := matrix(a.Dst), matrix(a.X)
	if a.F == kernels.ReLU { // the loop that input layers run over many short rows
		for i := lo; i < hi; {
			n := together(nil, i, hi, dst, x)
			b.vec.ReLU(dst.run(i, n), x.run(i, n))
			i += n
		}
		return
	}
	for i := lo; i < hi; i++ {
		d := dst.row(i)
		for j, v := range x.row(i) {
			d[j] = apply(a.F, v)
		}
	}
}

func (b *backend) mapGradRows(a *kernels.MapGrad, lo, hi int) {
	dx, x, dy, act := matrix(a.DX), matrix(a.X), matrix(a.DY), ints(a.Act)
	if a.F == kernels.ReLU && !a.Accumulate {
		for c := lo; c < hi; {
			n := together(act, c, hi, dx, x, dy)
			b.vec.ReLUGrad(dx.run(c, n), x.run(of(act, c), n), dy.run(c, n))
			c += n
		}
		return
	}
	for c := lo; c < hi; c++ {
		d, y := dx.row(c), dy.row(c)
		for j, v := range x.row(of(act, c)) {
			put(&d[j], derivative(a.F, v)*y[j], a.Accumulate)
		}
	}
}

// together is the number of cotangent rows from c on, below hi, that lie without gaps in all matrices and belong to consecutive activation rows.
func together(act []int32, c, hi int, all ...rows) int {
	for _, m := range all {
		if m.ld != m.cols {
			return 1
		}
	}
	n := hi - c
	if act != nil {
		for n = 1; c+n < hi && act[c+n] == act[c]+int32(n); n++ {
		}
	}
	return n
}

func mulRows(a *kernels.Mul, lo, hi int) {
	dst, x, y, act := matrix(a.Dst), matrix(a.X), matrix(a.Y), ints(a.Act)
	for c := lo; c < hi; c++ {
		d, v := dst.row(c), y.row(c)
		for j, u := range x.row(of(act, c)) {
			put(&d[j], u*v[j], a.Accumulate)
		}
	}
}

// unary is the function of a gate of one operand.
func unary(g kernels.Gate) kernels.Unary {
	switch g {
	case kernels.GELUAct:
		return kernels.GELU
	case kernels.ReLUAct:
		return kernels.ReLU
	}
	return kernels.Identity
}

func (b *backend) gatedRows(a *kernels.Gated, lo, hi int) {
	out, h, scale := matrix(a.A), matrix(a.H), floats(a.Scale)
	f := out.cols
	l := b.lines.take()
	buf := l.parts(2, h.cols)
	for i := lo; i < hi; i++ {
		s := float32(1)
		if scale != nil {
			s = scale[i]
		}
		row, x := out.space(i, 0, f, buf[0]), b.load(&h, i, 0, h.cols, buf[1])
		if a.Gate == kernels.SwiGLU {
			b.vec.SiluMul(row, x[:f], x[f:], s)
		} else {
			for j, v := range x {
				row[j] = s * apply(unary(a.Gate), v)
			}
		}
		b.store(&out, i, 0, row)
	}
	b.lines.giveBack(l)
}

func (b *backend) gatedGradRows(a *kernels.GatedGrad, lo, hi int) {
	dh, h, da, act, scale, ds := matrix(a.DH), matrix(a.H), matrix(a.DA), ints(a.Act), floats(a.Scale), floats(a.DScale)
	f := da.cols
	l := b.lines.take()
	buf := l.parts(2, h.cols)
	for c := lo; c < hi; c++ {
		i := of(act, c)
		s := float32(1)
		if scale != nil {
			s = scale[i]
		}
		d, x, y := dh.space(c, 0, dh.cols, buf[0]), b.load(&h, i, 0, h.cols, buf[1]), da.row(c)
		var sum float32
		switch {
		case a.Gate == kernels.SwiGLU && !a.Accumulate:
			sum = b.vec.SiluMulGrad(d[:f], d[f:], x[:f], x[f:], y, s)
		case a.Gate == kernels.SwiGLU:
			for j := 0; j < f; j++ {
				sig := vec.Sigmoid(x[j])
				silu := x[j] * sig
				sum += y[j] * silu * x[f+j]
				d[j] += s * y[j] * x[f+j] * (sig + silu*(1-sig))
				d[f+j] += s * y[j] * silu
			}
		default:
			u := unary(a.Gate)
			for j, v := range x {
				g := y[j] // DH may be DA
				if ds != nil {
					sum += g * apply(u, v)
				}
				put(&d[j], s*derivative(u, v)*g, a.Accumulate)
			}
		}
		b.store(&dh, c, 0, d)
		if ds != nil {
			ds[c] = sum
		}
	}
	b.lines.giveBack(l)
}

func (b *backend) rowScaleRows(a *kernels.RowScale, lo, hi int) {
	dst, y, s, act := matrix(a.Dst), matrix(a.Y), floats(a.S), ints(a.Act)
	for c := lo; c < hi; c++ {
		if a.Accumulate {
			b.vec.Axpy(dst.row(c), y.row(c), s[of(act, c)])
		} else {
			b.vec.Scale(dst.row(c), y.row(c), s[of(act, c)])
		}
	}
}

func (b *backend) rowDotRows(a *kernels.RowDot, lo, hi int) {
	x, y, dst, act := matrix(a.X), matrix(a.Y), floats(a.Dst), ints(a.Act)
	for c := lo; c < hi; c++ {
		put(&dst[c], b.vec.Dot(x.row(of(act, c)), y.row(c)), a.Accumulate)
	}
}

func addByRowRows(a *kernels.AddByRow, lo, hi int) {
	dst, x, table, row := matrix(a.Dst), matrix(a.X), matrix(a.Table), ints(a.Row)
	for i := lo; i < hi; i++ {
		d := dst.row(i)
		copy(d, x.row(i))
		if r := int(row[i]); r >= 0 {
			for j, v := range table.row(r) {
				d[j] += v
			}
		}
	}
}

// counter is the high half of the Philox counter of a row: its key's two words.
func counter(keys []int32, stride, row int) uint64 {
	return uint64(uint32(keys[row*stride])) | uint64(uint32(keys[row*stride+1]))<<32
}

func (b *backend) dropoutRows(a *kernels.Dropout, lo, hi int) {
	dst, x, keys, act := matrix(a.Dst), matrix(a.X), ints(a.Keys), ints(a.Act)
	cut := uint64(math.Ceil(a.P * (1 << 32)))
	scale := float32(1 / (1 - a.P))
	for c := lo; c < hi; c++ {
		hiWord := counter(keys, a.Keys.Stride(0), of(act, c))
		d, src := dst.row(c), x.row(c)
		if !a.Accumulate && cut < 1<<32 {
			b.vec.Dropout(d, src, a.Key.Key, hiWord, uint32(cut), scale)
			continue
		}
		for j := 0; j < len(d); j += 4 {
			w := rng.Philox(a.Key.Key, hiWord, uint64(j/4))
			for k := 0; k < 4 && j+k < len(d); k++ {
				v := src[j+k] * scale
				if uint64(w[k]) < cut {
					v = src[j+k] * 0 // keeps NaN and infinity visible
				}
				put(&d[j+k], v, a.Accumulate)
			}
		}
	}
}

func noiseRows(a *kernels.Noise, lo, hi int) {
	dst, keys := matrix(a.Dst), ints(a.Keys)
	for i := lo; i < hi; i++ {
		hiWord := counter(keys, a.Keys.Stride(0), i)
		d := dst.row(i)
		for j := range d {
			w := rng.Philox(a.Key.Key, hiWord, uint64(j))
			u, v := (float64(w[0])+1)*0x1p-32, float64(w[2])*0x1p-32
			d[j] = float32(math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*v))
		}
	}
}
