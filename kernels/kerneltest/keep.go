package kerneltest

import (
	"artel/dtype"
	"artel/kernels"
	"artel/rng"
	"artel/tensor"
)

// testKeep: products with weights that are kept give the bits of products with weights that are not, and of new ones after a change.
func testKeep(s *suite) {
	types := []dtype.Type{s.b.Float}
	if s.b.Halves {
		types = append(types, dtype.BF16)
	}
	for _, d := range types {
		k := newKeeping(s, d)
		for round := range 3 {
			k.fill(k.w, uint64(round))
			k.fill(k.same, uint64(round))
			want := k.products(k.same)
			s.b.Keep(k.w.Storage(), true)
			for again := range 3 {
				for i, got := range k.products(k.w) {
					if !sameBits(want[i], got) {
						s.t.Fatalf("%v, round %d: product %d with kept weights has other bits, time %d", d, round, i, again)
					}
				}
			}
			s.b.Keep(k.w.Storage(), false)
		}
	}
}

// keeping is products that read the same weights: both ways, by few rows and by many, of one matrix, a part of it and a bank.
type keeping struct {
	b             *kernels.Backend
	w, same       tensor.Tensor // [experts,in,out]; the second one is never kept
	x, dy, hidden tensor.Tensor // operands of W and W^T, and the hidden values of a gate
}

const (
	keptExperts, keptIn, keptOut = 3, 70, 96
	mostKept                     = 2*129 + 1
)

func newKeeping(s *suite, d dtype.Type) *keeping {
	b := s.b
	k := &keeping{b: b, w: b.New(d, keptExperts, keptIn, keptOut), same: b.New(d, keptExperts, keptIn, keptOut)}
	k.x, k.dy, k.hidden = b.New(b.Float, mostKept, keptIn), b.New(b.Float, mostKept, keptOut), b.New(b.Float, mostKept, 2*keptIn)
	for i, t := range []tensor.Tensor{k.x, k.dy, k.hidden} {
		k.fill(t, 10+uint64(i))
	}
	return k
}

// fill writes normal numbers.
func (k *keeping) fill(t tensor.Tensor, seed uint64) {
	r := rng.New(seed)
	host := tensor.New(dtype.F64, t.Shape()...)
	for i := range host.F64() {
		host.F64()[i] = r.Normal()
	}
	k.b.Copy(kernels.Copy{Dst: t, Src: host})
}

// products computes them all and returns what they gave.
func (k *keeping) products(bank tensor.Tensor) (out []tensor.Tensor) {
	b := k.b
	made := func(cols, rows int) tensor.Tensor {
		t := b.New(b.Float, rows, cols)
		out = append(out, t)
		return t
	}
	w := bank.At(1)
	for _, m := range []int{1, 30, 60, (mostKept - 1) / 2} {
		b.GEMM(kernels.GEMM{A: k.x.Narrow(0, 0, m), B: w, C: made(keptOut, m)})
		b.GEMM(kernels.GEMM{A: k.dy.Narrow(0, 0, m), B: w.T(), C: made(keptIn, m)})
		b.GEMM(kernels.GEMM{A: k.dy.Narrow(0, 0, m).Narrow(1, 0, 40), B: w.Narrow(1, 32, 40).T(), C: made(keptIn, m)})

		off := b.NewShared(dtype.I32, keptExperts+1)
		n := 2*m + 1
		copy(off.I32(), []int32{0, int32(m), int32(m), int32(n)})
		b.GroupedGEMM(kernels.GroupedGEMM{A: k.dy.Narrow(0, 0, n), B: bank.Swap(1, 2), C: made(keptIn, n), Off: off})
		b.GroupedGated(kernels.GroupedGated{X: k.x.Narrow(0, 0, n), B: bank, Gate: kernels.SwiGLU, H: made(keptOut, n), A: made(keptOut/2, n), Off: off})
		b.GroupedGatedGrad(kernels.GroupedGatedGrad{
			DY: k.dy.Narrow(0, 0, n), B: bank.Swap(1, 2), H: k.hidden.Narrow(0, 0, n), DH: made(2*keptIn, n), DA: b.New(b.Float, n, keptIn),
			Gate: kernels.SwiGLU, Off: off,
		})
	}
	for i, t := range out {
		out[i] = tensor.New(dtype.F64, t.Shape()...)
		b.Copy(kernels.Copy{Dst: out[i], Src: t})
	}
	return out
}

// sameBits compares numbers of the backend's type that were widened.
func sameBits(x, y tensor.Tensor) bool {
	for i, v := range x.F64() {
		if w := y.F64()[i]; v != w && (v == v || w == w) {
			return false
		}
	}
	return true
}
