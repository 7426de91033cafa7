package cpu

import (
	"math"

	"artel/kernels"
	"artel/rng"
)

func (b *backend) elementwise() kernels.Elementwise {
	mapped, mapGrad, mul := newLoop(b.mapRows), newLoop(b.mapGradRows), newLoop(b.mulRows)
	gated, gatedGrad := newLoop(b.gatedRows), newLoop(b.gatedGradRows)
	scale, dot, add := newLoop(b.rowScaleRows), newLoop(b.rowDotRows), newLoop(b.addByRowRows)
	drop, noise := newLoop(b.dropoutRows), newLoop(noiseRows)
	return kernels.Elementwise{
		Map:     func(a kernels.Map) { mapped.call(b.pool, a, a.Dst.Dim(0), 2*a.Dst.Dim(1)) },
		MapGrad: func(a kernels.MapGrad) { mapGrad.call(b.pool, a, a.DX.Dim(0), 2*a.DX.Dim(1)) },
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

// mapRow is dst = f(x); dst may be x.
func (b *backend) mapRow(f kernels.Unary, dst, x []float32) {
	switch f {
	case kernels.ReLU:
		b.vec.ReLU(dst, x)
	case kernels.GELU:
		b.vec.GELU(dst, x)
	case kernels.SiLU:
		b.vec.SiLU(dst, x)
	case kernels.Sigmoid:
		b.vec.Sigmoid(dst, x)
	case kernels.Tanh:
		b.vec.Tanh(dst, x)
	case kernels.Exp:
		b.vec.Exp(dst, x)
	case kernels.Log:
		b.vec.Log(dst, x)
	case kernels.Square:
		b.vec.Mul(dst, x, x)
	case kernels.Softplus:
		b.vec.Softplus(dst, x)
	default:
		copy(dst, x)
	}
}

// mapGradRow is dx = f'(x) * dy.
func (b *backend) mapGradRow(f kernels.Unary, dx, x, dy []float32) {
	switch f {
	case kernels.ReLU:
		b.vec.ReLUGrad(dx, x, dy)
	case kernels.GELU:
		b.vec.GELUGrad(dx, x, dy)
	case kernels.SiLU:
		b.vec.SiLUGrad(dx, x, dy)
	case kernels.Sigmoid:
		b.vec.SigmoidGrad(dx, x, dy)
	case kernels.Tanh:
		b.vec.TanhGrad(dx, x, dy)
	case kernels.Exp:
		b.vec.ExpGrad(dx, x, dy)
	case kernels.Log:
		b.vec.Div(dx, dy, x)
	case kernels.Square:
		b.vec.ScaleMul(dx, x, dy, 2)
	case kernels.Softplus:
		b.vec.SoftplusGrad(dx, x, dy)
	default:
		copy(dx, dy)
	}
}

func (b *backend) mapRows(a *kernels.Map, lo, hi int) {
	dst, x := matrix(a.Dst), matrix(a.X)
	for i := lo; i < hi; {
		n := together(nil, i, hi, dst, x)
		b.mapRow(a.F, dst.run(i, n), x.run(i, n))
		i += n
	}
}

func (b *backend) mapGradRows(a *kernels.MapGrad, lo, hi int) {
	dx, x, dy, act := matrix(a.DX), matrix(a.X), matrix(a.DY), ints(a.Act)
	if !a.Accumulate {
		for c := lo; c < hi; {
			n := together(act, c, hi, dx, x, dy)
			b.mapGradRow(a.F, dx.run(c, n), x.run(of(act, c), n), dy.run(c, n))
			c += n
		}
		return
	}
	lent := b.scratch.take()
	defer b.scratch.giveBack(lent)
	for c := lo; c < hi; c++ {
		d, v, g := dx.row(c), x.row(of(act, c)), dy.row(c)
		for j := 0; j < len(d); j += piece {
			k := min(j+piece, len(d))
			t := lent.Buffer()[:k-j]
			b.mapGradRow(a.F, t, v[j:k], g[j:k])
			b.vec.Add(d[j:k], d[j:k], t)
		}
	}
}

// piece is the number of elements that are computed at a time where they pass through a buffer.
const piece = 2048

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

func (b *backend) mulRows(a *kernels.Mul, lo, hi int) {
	dst, x, y, act := matrix(a.Dst), matrix(a.X), matrix(a.Y), ints(a.Act)
	for c := lo; c < hi; c++ {
		if a.Accumulate {
			b.vec.MulAdd(dst.row(c), x.row(of(act, c)), y.row(c))
		} else {
			b.vec.Mul(dst.row(c), x.row(of(act, c)), y.row(c))
		}
	}
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

func (b *backend) addByRowRows(a *kernels.AddByRow, lo, hi int) {
	dst, x, table, row := matrix(a.Dst), matrix(a.X), matrix(a.Table), ints(a.Row)
	for i := lo; i < hi; i++ {
		if r := int(row[i]); r >= 0 {
			b.vec.Add(dst.row(i), x.row(i), table.row(r))
		} else {
			copy(dst.row(i), x.row(i))
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
	lent := b.lines.take()
	defer b.lines.giveBack(lent)
	t := lent.parts(1, dst.cols)[0]
	for c := lo; c < hi; c++ {
		hiWord := counter(keys, a.Keys.Stride(0), of(act, c))
		d, src := dst.row(c), x.row(c)
		switch {
		case cut == 1<<32: // P is so near 1 that no word keeps its element
			if !a.Accumulate {
				clear(d)
			}
		case !a.Accumulate:
			b.vec.Dropout(d, src, a.Key.Key, hiWord, uint32(cut), scale)
		default:
			b.vec.Dropout(t, src, a.Key.Key, hiWord, uint32(cut), scale)
			b.vec.Add(d, d, t)
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
