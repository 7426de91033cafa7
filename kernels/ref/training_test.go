package ref_test

import (
	"math"
	"testing"

	"artel/kernels"
	"artel/kernels/ref"
	"artel/tensor"
)

// TestGramAndCombineAsProducts: with D the diagonal of presence, G = (DJ)(DJ)^T and g = w^T D J.
func TestGramAndCombineAsProducts(t *testing.T) {
	s := newSource("gram")
	const m, p = 4, 33
	j, w, present := s.floats(m, p), s.floats(m), tensor.FromI32([]int32{1, 0, 1, 1}, m)
	diag := zeros(m, m)
	for i, on := range present.I32() {
		diag.F64()[i*m+i] = float64(on)
	}
	dj := product(diag, j)
	g, want := zeros(m, m), zeros(m, m)
	be.Fill(g, 2)
	be.Fill(want, 2)
	be.Gram(kernels.Gram{J: j, Present: present, G: g})
	be.GEMM(kernels.GEMM{A: dj, B: dj.T(), C: want, Accumulate: true})
	wantClose(t, "Gram", g.F64(), want.F64(), 1e-14)

	dst, sq := zeros(p), tensor.FromF64([]float64{5}, 1)
	be.Combine(kernels.Combine{J: j, Present: present, W: w, Dst: dst, SumSq: sq})
	wantClose(t, "Combine", dst.F64(), product(w.Reshape(1, m), dj).F64(), 1e-14)
	// |w^T J|^2 = w^T G w
	be.Fill(want, 0)
	be.Gram(kernels.Gram{J: j, Present: present, G: want})
	quad := product(product(w.Reshape(1, m), want), w.Reshape(m, 1)).F64()[0]
	wantClose(t, "SumSq", sq.F64(), []float64{5 + quad}, 1e-13)
	be.SumSquares(kernels.SumSquares{Dst: sq, X: dst})
	wantClose(t, "SumSquares", sq.F64(), []float64{5 + 2*quad}, 1e-13)
}

// TestGradDrop checks what the rule implies: a leak of 1 is the plain sum; without leak each column keeps its positive or its
// negative part, agreeing columns keep everything, and the positive part is kept with probability q.
func TestGradDrop(t *testing.T) {
	s := newSource("graddrop")
	const m, p = 3, 20000
	j, present, dst := s.floats(m, p), tensor.FromI32([]int32{1, 0, 1}, m), zeros(p)
	for i := 0; i < p; i++ {
		j.F64()[p+i] = math.NaN() // the absent task
	}
	run := func(leak float64) []float64 {
		be.GradDrop(kernels.GradDrop{Dst: dst, J: j, Present: present, Leak: tensor.FromF64([]float64{leak, 0, leak}, m), Key: s.Key, Hi: 3, Offset: 8})
		return dst.F64()
	}
	a, b := j.At(0).F64(), j.At(2).F64()
	for i, v := range run(1) {
		if math.Abs(v-a[i]-b[i]) > 1e-15 {
			t.Fatalf("leak 1: column %d = %v, want %v", i, v, a[i]+b[i])
		}
	}
	var kept, expected, variance float64
	for i, v := range run(0) {
		up, down := math.Max(a[i], 0)+math.Max(b[i], 0), math.Min(a[i], 0)+math.Min(b[i], 0)
		if v != up && v != down || up == 0 && v != down || down == 0 && v != up {
			t.Fatalf("column %d of %v, %v = %v", i, a[i], b[i], v)
		}
		q := up / (up - down)
		if v == up && q > 0 {
			kept++
		}
		expected += q
		variance += q * (1 - q)
	}
	if z := (kept - expected) / math.Sqrt(variance); math.Abs(z) > 5 {
		t.Errorf("positive part kept %v times, want about %v (%.1f standard deviations)", kept, expected, z)
	}
}

// TestSaliencyGradient: the gradient of the regularisers, and their values where they are known.
func TestSaliencyGradient(t *testing.T) {
	s := newSource("saliency")
	for _, a := range []kernels.Saliency{
		{Window: 3, Entropy: 1, Floor: 0.01, Temperature: 1},
		{Window: 4, Align: 1, Floor: 0.01, Temperature: 0.3},
		{Window: 64, Entropy: 0.5, Align: 2, Floor: 0.1, Temperature: 1},
	} {
		a.S, a.U, a.Loss, a.Width = s.floats(3, 7*5), zeros(3, 7*5), zeros(2), 5
		be := ref.New()
		be.Saliency(a)
		grad := append([]float64(nil), a.U.F64()...)
		checkGradient(t, "saliency", s, a.S, grad, func() float64 {
			a.Loss.F64()[0], a.Loss.F64()[1] = 0, 0
			be.Saliency(a)
			return a.Loss.F64()[0] + a.Loss.F64()[1]
		})
	}
	// Two tasks with equal gradients that differ by row as much as they can: shares are 1/2; a row is like its own anchor and unlike all others.
	x := tensor.FromF64([]float64{1, 0, 0, 2, 1, 0, 0, 2}, 2, 4)
	a := kernels.Saliency{S: x, U: zeros(2, 4), Loss: zeros(2), Width: 2, Window: 2, Entropy: 1, Align: 1, Temperature: 1, Floor: 0.01}
	ref.New().Saliency(a)
	if got, want := a.Loss.F64()[0], 2*math.Log(2); math.Abs(got-want) > 1e-14 {
		t.Errorf("entropy %v, want %v", got, want)
	}
	if got, want := a.Loss.F64()[1], 4*math.Log(1+math.Exp(-1)); math.Abs(got-want) > 1e-14 {
		t.Errorf("contrast %v, want %v", got, want)
	}
}
