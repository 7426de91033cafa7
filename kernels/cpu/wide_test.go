package cpu_test

import (
	"testing"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cpu"
	"artel/rng"
	"artel/tensor"
)

// TestWideRowsAllocateNothing: ops that need room for a row keep it, however long the row is.
func TestWideRowsAllocateNothing(t *testing.T) {
	const n, d = 2, 1 << 17
	b, f32 := cpu.New(), func(shape ...int) tensor.Tensor { return tensor.New(dtype.F32, shape...) }
	x, y, w, stat, loss := f32(n, d), f32(n, d), f32(d), f32(n, 2), tensor.New(dtype.F64, 1)
	keys, label := tensor.FromI32([]int32{1, 2, 3, 4}, n, 2), tensor.FromI32([]int32{0, 5}, n)
	for name, op := range map[string]func(){
		"Dropout": func() {
			b.Dropout(kernels.Dropout{Dst: y, X: x, Keys: keys, Key: rng.New(1), P: 0.5, Accumulate: true})
		},
		"CrossEntropy":  func() { b.CrossEntropy(kernels.CrossEntropy{X: x, Label: label, Loss: loss, Scale: 1}) },
		"LayerNormGrad": func() { b.LayerNormGrad(kernels.LayerNormGrad{DX: y, X: x, W: w, Stat: stat, DY: x}) },
	} {
		if got := testing.AllocsPerRun(20, op); got > 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}
