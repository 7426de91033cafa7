package cpu

import "artel/kernels"

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
		switch a.Gate {
		case kernels.SwiGLU:
			b.vec.SiluMul(row, x[:f], x[f:], s)
		case kernels.GELUAct:
			b.vec.GELUGate(row, x, s)
		case kernels.ReLUAct:
			b.vec.ReLU(row, x)
			if scale != nil {
				b.vec.Scale(row, row, s)
			}
		default:
			b.vec.Scale(row, x, s)
		}
		b.store(&out, i, 0, row)
	}
	b.lines.giveBack(l)
}

func (b *backend) gatedGradRows(a *kernels.GatedGrad, lo, hi int) {
	dh, h, da, act, scale, ds := matrix(a.DH), matrix(a.H), matrix(a.DA), ints(a.Act), floats(a.Scale), floats(a.DScale)
	l := b.lines.take()
	buf := l.parts(3, h.cols)
	for c := lo; c < hi; c++ {
		i := of(act, c)
		s := float32(1)
		if scale != nil {
			s = scale[i]
		}
		d, x := dh.space(c, 0, dh.cols, buf[0]), b.load(&h, i, 0, h.cols, buf[1])
		var sum float32
		if a.Accumulate {
			sum = b.gateGrad(a.Gate, buf[2], x, da.row(c), s, ds != nil)
			d = b.load(&dh, c, 0, dh.cols, buf[0])
			b.vec.Add(d, d, buf[2])
		} else {
			sum = b.gateGrad(a.Gate, d, x, da.row(c), s, ds != nil)
		}
		b.store(&dh, c, 0, d)
		if ds != nil {
			ds[c] = sum
		}
	}
	b.lines.giveBack(l)
}

// gateGrad is d = s * act'(h) * da for a row; it returns <da, act(h)>, if that is wanted. d may be h, or da where that is as wide.
func (b *backend) gateGrad(g kernels.Gate, d, h, da []float32, s float32, wanted bool) (sum float32) {
	switch g {
	case kernels.SwiGLU:
		f := len(da)
		return b.vec.SiluMulGrad(d[:f], d[f:], h[:f], h[f:], da, s)
	case kernels.GELUAct:
		return b.vec.GELUGateGrad(d, h, da, s)
	case kernels.ReLUAct:
		return b.vec.ReLUGateGrad(d, h, da, s)
	default:
		if wanted {
			sum = b.vec.Dot(da, h)
		}
		b.vec.Scale(d, da, s)
	}
	return sum
}
