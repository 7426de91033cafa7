package ref_test

import (
	"math"
	"slices"
	"testing"

	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

// TestCopyRoundsOnce searches the nearest bfloat16 and compares; conversions through float32 fail on the third value.
func TestCopyRoundsOnce(t *testing.T) {
	s := newSource("copy")
	v := []float64{1 + 0x1p-8, 1 + 3*0x1p-8, 1 + 0x1p-8 + 0x1p-40, 1 + 3*0x1p-8 - 0x1p-40, 0x1p-134 + 0x1p-170, 3e38, -1e-40}
	for i := 0; i < 500; i++ {
		v = append(v, s.Normal()*math.Exp2(float64(s.Intn(250)-125)))
	}
	out := tensor.New(dtype.BF16, len(v))
	be.Copy(kernels.Copy{Dst: out, Src: tensor.FromF64(v, len(v))})
	for i, x := range v {
		got := out.BF16()[i]
		err := math.Abs(float64(dtype.FromBF16(got)) - x)
		for _, other := range []uint16{got - 1, got + 1} {
			d := math.Abs(float64(dtype.FromBF16(other)) - x)
			if d < err || d == err && got&1 == 1 {
				t.Errorf("%v became %v, %v is nearer", x, dtype.FromBF16(got), dtype.FromBF16(other))
			}
		}
	}
}

func TestAxpyAndFill(t *testing.T) {
	x := tensor.FromF64([]float64{1, 2, 3, 4, 5, 6}, 2, 3)
	be.Fill(x.Narrow(1, 1, 1), 9)
	wantClose(t, "Fill", x.F64(), []float64{1, 9, 3, 4, 9, 6}, 0)
	be.Axpy(kernels.Axpy{Dst: x.Narrow(1, 0, 1), Src: tensor.FromF64([]float64{10, 20}, 2, 1), Alpha: -0.5, Accumulate: true})
	be.Axpy(kernels.Axpy{Dst: x.Narrow(1, 2, 1), Src: tensor.FromF64([]float64{10, 20}, 2, 1), Alpha: -0.5})
	wantClose(t, "Axpy", x.F64(), []float64{-4, 9, -5, -6, 9, -10}, 0)
}

// TestTopKAgainstSorting compares with a stable sort, ties and NaN included.
func TestTopKAgainstSorting(t *testing.T) {
	s := newSource("topk")
	const e = 11
	for n := 0; n < 200; n++ {
		x, src, k := zeros(1, e), s.floats(1, e), 1+s.Intn(e)
		for j := range x.F64() {
			x.F64()[j] = []float64{0, 1, 2, math.NaN(), math.Inf(-1)}[s.Intn(5)]
		}
		order := []int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
		rank := func(j int32) float64 { // NaN below -Inf
			switch v := x.F64()[j]; {
			case math.IsNaN(v):
				return -1e9
			case math.IsInf(v, -1):
				return -1e8
			default:
				return v
			}
		}
		slices.SortStableFunc(order, func(a, b int32) int { return int(math.Copysign(1, rank(b)-rank(a))) * b2i(rank(a) != rank(b)) })
		index, value := tensor.New(dtype.I32, 1, k), zeros(1, k)
		be.TopK(kernels.TopK{X: x, Src: src, Index: index, Value: value})
		for i, j := range index.I32() {
			if j != order[i] || value.F64()[i] != src.F64()[j] {
				t.Fatalf("TopK of %v: %v, want %v", x.F64(), index.I32(), order[:k])
			}
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestMetricsAndCounts(t *testing.T) {
	nan := math.NaN()
	x := tensor.FromF64([]float64{1, 3, 3, nan, 2, 1, nan, nan, nan, 0, 0, 5}, 4, 3)
	correct, pred := tensor.FromI32([]int32{10, 20}, 2), tensor.New(dtype.I32, 4)
	be.Metrics(kernels.Metrics{X: x, Label: tensor.FromI32([]int32{1, 2, -1, 2}, 4), Correct: correct, Pred: pred})
	if !slices.Equal(pred.I32(), []int32{1, 1, 0, 2}) || !slices.Equal(correct.I32(), []int32{12, 23}) {
		t.Errorf("Metrics: argmax %v, counts %v", pred.I32(), correct.I32())
	}
	count, n := tensor.FromI32([]int32{9, 9, 9, 9, 9, 9}, 2, 3), tensor.FromI32([]int32{9, 9}, 2)
	be.CountPicks(kernels.CountPicks{Index: tensor.FromI32([]int32{0, 2, 2, 2, -1, 1, 0, 1}, 4, 2), Set: tensor.FromI32([]int32{1, 0, 1, -1}, 4),
		Count: count, Rows: n})
	if !slices.Equal(count.I32(), []int32{0, 0, 2, 1, 1, 1}) || !slices.Equal(n.I32(), []int32{1, 2}) {
		t.Errorf("CountPicks: %v, rows %v", count.I32(), n.I32())
	}
}

// TestRoutePlanByHand checks a plan small enough to do by hand: three tokens shared by two tasks, capacity 2.
func TestRoutePlanByHand(t *testing.T) {
	ints := func(n ...int) tensor.Tensor { return tensor.New(dtype.I32, n...) }
	p := &kernels.Plan{T: 3, K: 2, E: 2, C: 6, Off: ints(3), Token: ints(6), Slot: ints(6), Inv: ints(3, 2), Count: ints(3),
		COff: ints(3), CToken: ints(12), CAct: ints(12), CInv: ints(6, 2), Segs: ints(4, kernels.SegCols)}
	be.RoutePlan(kernels.RoutePlan{Plan: p, Index: tensor.FromI32([]int32{1, 0, 1, -1, 0, 1}, 3, 2), Capacity: 2,
		TokenSegs: tensor.FromI32([]int32{0, 0, 0, 0, 3, 0, 1, 0, 3, 3}, 2, kernels.SegCols)})
	for name, c := range map[string]struct {
		got  tensor.Tensor
		want []int32
	}{
		"Off": {p.Off, []int32{0, 2, 4}}, "Token": {p.Token.Narrow(0, 0, 4), []int32{0, 2, 0, 1}},
		"Slot": {p.Slot.Narrow(0, 0, 4), []int32{1, 4, 0, 2}}, "Inv": {p.Inv, []int32{2, 0, 3, -1, 1, -1}},
		"Count": {p.Count, []int32{2, 3, 1}}, "COff": {p.COff, []int32{0, 4, 8}},
		"CToken": {p.CToken.Narrow(0, 0, 8), []int32{0, 2, 3, 5, 0, 1, 3, 4}}, "CAct": {p.CAct.Narrow(0, 0, 8), []int32{0, 1, 0, 1, 2, 3, 2, 3}},
		"CInv": {p.CInv, []int32{4, 0, 5, -1, 1, -1, 6, 2, 7, -1, 3, -1}},
		"Segs": {p.Segs, []int32{0, 0, 0, 0, 2, 0, 1, 0, 2, 2, 1, 0, 2, 4, 2, 1, 1, 2, 6, 2}},
	} {
		if !slices.Equal(c.got.I32(), c.want) {
			t.Errorf("%s = %v, want %v", name, c.got.I32(), c.want)
		}
	}
}

// TestDropout checks the share of kept elements, that kept ones are scaled so that the mean stays, and that the decision goes
// with the row's key wherever the row stands.
func TestDropout(t *testing.T) {
	s := newSource("dropout")
	const n, d, p = 400, 50, 0.3
	x, keys := zeros(n, d), s.rows(2*n, math.MinInt32, math.MaxInt32).Reshape(n, 2)
	be.Fill(x, 1)
	y := zeros(n, d)
	be.Dropout(kernels.Dropout{Dst: y, X: x, Keys: keys, Key: s.Stream, P: p})
	kept := 0
	for _, v := range y.F64() {
		if v != 0 {
			kept++
			if v != 1/(1-p) {
				t.Fatalf("kept element %v, want %v", v, 1/(1-p))
			}
		}
	}
	if z := (float64(kept) - n*d*(1-p)) / math.Sqrt(n*d*p*(1-p)); math.Abs(z) > 5 {
		t.Errorf("kept %d of %d: %.1f standard deviations off", kept, n*d, z)
	}
	act := s.rows(3*n, 0, n)
	stacked, ones, want := zeros(3*n, d), zeros(3*n, d), zeros(3*n, d)
	be.Fill(ones, 1)
	be.Dropout(kernels.Dropout{Dst: stacked, X: ones, Keys: keys, Act: act, Key: s.Stream, P: p})
	be.GatherRows(kernels.GatherRows{Dst: want, Src: y, Index: act})
	wantClose(t, "rows elsewhere", stacked.F64(), want.F64(), 0)
}

func TestNoiseMoments(t *testing.T) {
	s := newSource("noise")
	const n, e = 2000, 16
	z := zeros(n, e)
	be.Noise(kernels.Noise{Dst: z, Keys: s.rows(2*n, math.MinInt32, math.MaxInt32).Reshape(n, 2), Key: s.Stream})
	var m1, m2, m4, lag float64
	for i, v := range z.F64() {
		m1, m2, m4 = m1+v, m2+v*v, m4+v*v*v*v
		if i > 0 {
			lag += v * z.F64()[i-1]
		}
	}
	for name, c := range map[string][3]float64{"mean": {m1, 0, 1}, "variance": {m2, 1, 2}, "fourth moment": {m4, 3, 96}, "correlation": {lag, 0, 1}} {
		if d := (c[0]/(n*e) - c[1]) / math.Sqrt(c[2]/(n*e)); math.Abs(d) > 5 {
			t.Errorf("%s = %v, %.1f standard errors off", name, c[0]/(n*e), d)
		}
	}
}
