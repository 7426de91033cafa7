package observe_test

import (
	"slices"
	"testing"

	"artel/internal/observe"
	"artel/kernels"
	"artel/kernels/ref"
	"artel/tensor"
)

func zeros(shape ...int) tensor.Tensor {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return tensor.FromF64(make([]float64, n), shape...)
}

// TestWork calls ops of known sizes.
func TestWork(t *testing.T) {
	var names []string
	var bytes, flops []int64
	be := observe.Backend(ref.New(), func(op observe.Op, run func()) {
		names, bytes, flops = append(names, op.Name), append(bytes, op.Bytes()), append(flops, op.FLOPs())
		run()
	})
	a, b, c := zeros(3, 4), zeros(4, 5), zeros(3, 5)
	be.Fill(a, 2)
	be.Fill(b, 3)
	be.GEMM(kernels.GEMM{A: a, B: b, C: c, Accumulate: true})
	if c.F64()[0] != 24 {
		t.Errorf("the op did not run: %v", c.F64())
	}
	index := tensor.FromI32([]int32{2, 0}, 2)
	be.GatherRows(kernels.GatherRows{Dst: zeros(2, 4), Src: a, Index: index})
	be.Adam(kernels.Adam{P: zeros(7), G: zeros(7), M: zeros(7), V: zeros(7), Scale: 1, Step: 1})
	// Three rows for two experts; the tasks share one destination.
	off, segs := tensor.FromI32([]int32{0, 1, 3}, 3), tensor.FromI32([]int32{0, 0, 0, 0, 1, 1, 0, 1, 1, 2}, 2, 5)
	be.GroupedGated(kernels.GroupedGated{X: a, B: zeros(2, 4, 10), H: zeros(3, 10), A: zeros(3, 5), Off: off, Gate: kernels.SwiGLU})
	be.GradW(kernels.GradW{X: a, DY: c, Segs: segs, Dst: zeros(2, 1, 4, 5), Touched: tensor.FromI32(make([]int32, 2), 2, 1)})
	be.Axpy(kernels.Axpy{Dst: zeros(6), Src: zeros(6), Alpha: 1, Accumulate: true})
	if want := []string{"Fill", "Fill", "GEMM", "GatherRows", "Adam", "GroupedGated", "GradW", "Axpy"}; !slices.Equal(names, want) {
		t.Errorf("ops %v, want %v", names, want)
	}
	if want := []int64{96, 160, 8 * (12 + 20 + 2*15), 8*(8+8) + 8, 8 * 7 * 7, 8*(12+80+30+15) + 12, 8*(12+15+40) + 40 + 8, 8 * 18}; !slices.Equal(bytes, want) {
		t.Errorf("bytes %v, want %v", bytes, want)
	}
	if want := []int64{0, 0, 2 * 3 * 4 * 5, 0, 0, 2 * 3 * 4 * 10, 2 * 3 * 4 * 5, 0}; !slices.Equal(flops, want) {
		t.Errorf("flops %v, want %v", flops, want)
	}
}

// TestAll: every op of a backend is watched, and the backend it was made of is as it was.
func TestAll(t *testing.T) {
	plain := ref.New()
	seen := 0
	be := observe.Backend(plain, func(_ observe.Op, run func()) { seen++; run() })
	if got, want := be.Missing(), plain.Missing(); !slices.Equal(got, want) {
		t.Errorf("missing %v, want %v", got, want)
	}
	plain.Fill(zeros(1), 1)
	if seen != 0 {
		t.Error("the plain backend is watched")
	}
	be.Copy(kernels.Copy{Dst: zeros(2), Src: zeros(2)})
	if seen != 1 {
		t.Error("the copy is not watched")
	}
}
