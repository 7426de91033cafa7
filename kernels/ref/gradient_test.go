package ref_test

import (
	"math"
	"testing"

	"artel/dtype"
	"artel/kernels"
	"artel/rng"
	"artel/tensor"
)

// source draws test inputs.
type source struct{ rng.Stream }

func newSource(name string) *source { return &source{rng.New(5).Sub(name)} }

// floats returns normal numbers.
func (s *source) floats(shape ...int) tensor.Tensor {
	x := zeros(shape...)
	for i, v := 0, x.F64(); i < len(v); i++ {
		v[i] = s.Normal()
	}
	return x
}

// positive returns numbers of [0.2,1.2).
func (s *source) positive(shape ...int) tensor.Tensor {
	x := zeros(shape...)
	for i, v := 0, x.F64(); i < len(v); i++ {
		v[i] = s.Float64() + 0.2
	}
	return x
}

// rows returns n indices of [lo,hi).
func (s *source) rows(n, lo, hi int) tensor.Tensor {
	x := tensor.New(dtype.I32, n)
	for i := range x.I32() {
		x.I32()[i] = int32(lo + s.Intn(hi-lo))
	}
	return x
}

// inner is the inner product of two contiguous tensors.
func inner(x, y tensor.Tensor) (sum float64) {
	for i, v := range x.F64() {
		sum += v * y.F64()[i]
	}
	return sum
}

// checkGradient compares <grad, v> with the derivative of f along a random v, by central differences extrapolated once
// (Richardson), so that the error of the difference is of fourth order.
func checkGradient(t *testing.T, what string, s *source, x tensor.Tensor, grad []float64, f func() float64) {
	t.Helper()
	xs := x.F64()
	start := append([]float64(nil), xs...)
	v := s.floats(len(xs)).F64()
	at := func(h float64) float64 {
		for i := range xs {
			xs[i] = start[i] + h*v[i]
		}
		y := f()
		copy(xs, start)
		return y
	}
	slope := func(h float64) float64 { return (at(h) - at(-h)) / (2 * h) }
	const h = 1e-3
	want := (4*slope(h/2) - slope(h)) / 3
	var got, size float64
	for i, g := range grad {
		got += g * v[i]
		size += math.Abs(g * v[i])
	}
	if !(math.Abs(got-want) <= 1e-6*max(math.Abs(want), 1e-2*size)) || size == 0 {
		t.Errorf("%s: derivative %v, by differences %v", what, got, want)
	}
}

// Cotangent rows of shared activations: tasks blocks of n rows over the same n rows.
const (
	rows  = 5
	width = 7
	tasks = 3
)

// stackedAct is the index of shared rows.
func stackedAct() tensor.Tensor {
	x := tensor.New(dtype.I32, rows*tasks)
	for i := range x.I32() {
		x.I32()[i] = int32(i % rows)
	}
	return x
}

// stackedSegs are the segments of shared rows.
func stackedSegs() tensor.Tensor {
	x := tensor.New(dtype.I32, tasks, kernels.SegCols)
	for t := 0; t < tasks; t++ {
		copy(x.At(t).I32(), []int32{0, int32(t), 0, int32(t * rows), rows})
	}
	return x
}

// block returns the cotangent rows of task t.
func block(x tensor.Tensor, t int) tensor.Tensor { return x.Narrow(0, t*rows, rows) }

// checkShared checks the gradient rows of every task by themselves: a sum over tasks would hide that they are mixed up.
func checkShared(t *testing.T, what string, s *source, x, dx, dy tensor.Tensor, forward func() tensor.Tensor) {
	t.Helper()
	for k := 0; k < tasks; k++ {
		checkGradient(t, what, s, x, block(dx, k).F64(), func() float64 { return inner(block(dy, k), forward()) })
	}
}

func TestMapGradient(t *testing.T) {
	for f := kernels.Identity; f <= kernels.Square; f++ {
		s := newSource(f.String())
		x, dy, dx, y := s.floats(rows, width), s.floats(rows*tasks, width), zeros(rows*tasks, width), zeros(rows, width)
		if f == kernels.Log {
			x = s.positive(rows, width)
		}
		for i, v := range x.F64() {
			if math.Abs(v) < 0.02 { // differences across the kink of ReLU tell nothing
				x.F64()[i] = 0.5
			}
		}
		be.MapGrad(kernels.MapGrad{DX: dx, X: x, DY: dy, Act: stackedAct(), F: f})
		checkShared(t, f.String(), s, x, dx, dy, func() tensor.Tensor {
			be.Map(kernels.Map{Dst: y, X: x, F: f})
			return y
		})
	}
}

func TestGatedGradient(t *testing.T) {
	for g := kernels.SwiGLU; g <= kernels.LinearAct; g++ {
		s := newSource(g.String())
		h, scale, da := s.floats(rows, g.Width(width)), s.floats(rows), s.floats(rows*tasks, width)
		for i, v := range h.F64() {
			if math.Abs(v) < 0.02 {
				h.F64()[i] = 0.5
			}
		}
		dh, dScale, a := zeros(rows*tasks, g.Width(width)), zeros(rows*tasks), zeros(rows, width)
		be.GatedGrad(kernels.GatedGrad{DH: dh, DScale: dScale, H: h, DA: da, Act: stackedAct(), Scale: scale, Gate: g})
		forward := func() tensor.Tensor {
			be.Gated(kernels.Gated{A: a, H: h, Scale: scale, Gate: g})
			return a
		}
		checkShared(t, g.String()+" h", s, h, dh, da, forward)
		checkShared(t, g.String()+" scale", s, scale, dScale, da, forward)
	}
}

func TestNormGradients(t *testing.T) {
	s := newSource("norms")
	x, w, b, dy := s.floats(rows, width), s.floats(width), s.floats(width), s.floats(rows*tasks, width)
	y, dx, rstd, stat := zeros(rows, width), zeros(rows*tasks, width), zeros(rows), zeros(rows, 2)
	const eps = 0.1 // large enough to be seen
	for _, weighted := range []bool{true, false} {
		w := w
		if !weighted {
			w = tensor.Tensor{}
		}
		rms := func() tensor.Tensor {
			be.RMSNorm(kernels.RMSNorm{Y: y, X: x, W: w, RStd: rstd, Eps: eps})
			return y
		}
		dw := zeros(1, tasks, width)
		rms()
		be.RMSNormGrad(kernels.RMSNormGrad{DX: dx, X: x, W: w, RStd: rstd, DY: dy, Act: stackedAct(), Segs: stackedSegs(), DstW: dw,
			Touched: tensor.New(dtype.I32, 1, tasks)})
		checkShared(t, "RMSNorm x", s, x, dx, dy, rms)
		layer := func() tensor.Tensor {
			be.LayerNorm(kernels.LayerNorm{Y: y, X: x, W: w, B: b, Stat: stat, Eps: eps})
			return y
		}
		dwLayer := zeros(1, tasks, width)
		layer()
		be.LayerNormGrad(kernels.LayerNormGrad{DX: dx, X: x, W: w, Stat: stat, DY: dy, Act: stackedAct(), Segs: stackedSegs(), DstW: dwLayer,
			Touched: tensor.New(dtype.I32, 1, tasks)})
		checkShared(t, "LayerNorm x", s, x, dx, dy, layer)
		for k := 0; k < tasks && weighted; k++ {
			checkGradient(t, "RMSNorm w", s, w, dw.At(0).At(k).F64(), func() float64 { return inner(block(dy, k), rms()) })
			checkGradient(t, "LayerNorm w", s, w, dwLayer.At(0).At(k).F64(), func() float64 { return inner(block(dy, k), layer()) })
		}
	}
}

func TestSoftmaxAndRoutingGradients(t *testing.T) {
	s := newSource("softmax")
	x, dy, y, dx := s.positive(rows, width), s.floats(rows*tasks, width), zeros(rows, width), zeros(rows*tasks, width)
	soft := func() tensor.Tensor {
		be.Softmax(kernels.Softmax{Y: y, X: x})
		return y
	}
	be.SoftmaxGrad(kernels.SoftmaxGrad{DX: dx, Y: soft(), DY: dy, Act: stackedAct()})
	checkShared(t, "Softmax", s, x, dx, dy, soft)

	normal := func() tensor.Tensor {
		be.RowNormalize(kernels.RowNormalize{Y: y, X: x})
		return y
	}
	be.RowNormalizeGrad(kernels.RowNormalizeGrad{DX: dx, X: x, Y: normal(), DY: dy, Act: stackedAct()})
	checkShared(t, "RowNormalize", s, x, dx, dy, normal)

	const k = 3
	for i := range x.F64() { // far apart, so that the choice stays
		x.F64()[i] += float64(i * 5 % width)
	}
	index, value, dv := tensor.New(dtype.I32, rows, k), zeros(rows, k), s.floats(rows*tasks, k)
	top := func() tensor.Tensor {
		be.TopK(kernels.TopK{X: x, Index: index, Value: value})
		return value
	}
	top()
	be.TopKGrad(kernels.TopKGrad{DX: dx, Index: index, DV: dv, Act: stackedAct()})
	checkShared(t, "TopK", s, x, dx, dv, top)
}

func TestLossGradients(t *testing.T) {
	s := newSource("losses")
	x, dx, target, nothing := s.floats(rows, width), zeros(rows, width), s.positive(rows, width), tensor.Tensor{}
	target.F64()[3] = math.NaN()
	label := tensor.FromI32([]int32{3, -1, 0, 6, 2}, rows)
	count, set := tensor.FromI32([]int32{1, 0, 2, 3, 0, 1, 4, 2, 2, 0, 0, 1, 0, 3}, 2, width), tensor.FromI32([]int32{0, 1, -1, 1, 0}, rows)
	weight, n := tensor.FromF64([]float64{0.7, 1.3}, 2), tensor.FromI32([]int32{2, 4}, 2)
	for name, loss := range map[string]func(l, dx tensor.Tensor){
		"CrossEntropy": func(l, dx tensor.Tensor) {
			be.CrossEntropy(kernels.CrossEntropy{X: x, DX: dx, Label: label, Loss: l, Scale: 0.3, Smoothing: 0.1})
		},
		"BCE": func(l, dx tensor.Tensor) { be.BCE(kernels.BCE{X: x, DX: dx, Target: target, Loss: l, Scale: 0.3}) },
		"squared": func(l, dx tensor.Tensor) {
			be.Regression(kernels.Regression{X: x, DX: dx, Target: target, Loss: l, Scale: 0.3})
		},
		"Huber": func(l, dx tensor.Tensor) {
			be.Regression(kernels.Regression{X: x, DX: dx, Target: target, Loss: l, Scale: 0.3, Delta: 0.61803})
		},
		"ZLoss": func(l, dx tensor.Tensor) {
			if !dx.Ok() {
				dx = zeros(rows, width)
			}
			be.ZLoss(kernels.ZLoss{X: x, DX: dx, Loss: l, Scale: 0.3})
		},
		"Balance": func(l, dx tensor.Tensor) {
			if !dx.Ok() {
				dx = zeros(rows, width)
			}
			be.Balance(kernels.Balance{P: x, DP: dx, Count: count, Set: set, Weight: weight, Rows: n, Loss: l, Scale: 0.3})
		},
	} {
		loss(zeros(1), dx)
		checkGradient(t, name, newSource(name), x, dx.F64(), func() float64 {
			l := zeros(1)
			loss(l, nothing)
			return l.F64()[0]
		})
	}
}

func TestEmbedGradient(t *testing.T) {
	for _, mean := range []bool{false, true} {
		s := newSource("embed")
		const vocab = 6
		table, dy, y := s.floats(vocab, width), s.floats(rows*tasks, width), zeros(rows, width)
		ids, off := s.rows(12, 0, vocab), tensor.FromI32([]int32{0, 3, 3, 4, 9, 12}, rows+1)
		dst := zeros(1, tasks, vocab, width)
		be.EmbedGrad(kernels.EmbedGrad{IDs: ids, Off: off, DY: dy, Segs: stackedSegs(), Dst: dst, Touched: tensor.New(dtype.I32, 1, tasks), Mean: mean})
		for k := 0; k < tasks; k++ {
			checkGradient(t, "Embed", s, table, dst.At(0).At(k).F64(), func() float64 {
				be.Embed(kernels.Embed{Table: table, IDs: ids, Off: off, Dst: y, Mean: mean})
				return inner(block(dy, k), y)
			})
		}
	}
}
