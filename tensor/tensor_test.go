package tensor_test

import (
	"math"
	"testing"

	"artel/dtype"
	"artel/tensor"
)

func iota32(n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(i)
	}
	return s
}

func TestViews(t *testing.T) {
	x := tensor.FromF32(iota32(24), 2, 3, 4)
	if y := x.At(1).T(); y.Dim(0) != 4 || y.Dim(1) != 3 || y.Stride(0) != 1 || y.F32()[y.Stride(1)] != 16 {
		t.Errorf("At(1).T() = %v", y)
	}
	y := x.Narrow(2, 1, 2)
	if y.Contiguous() || y.F32()[0] != 1 || len(y.F32()) != 22 || y.Len() != 12 {
		t.Errorf("Narrow: %v len %d extent %d", y, y.Len(), len(y.F32()))
	}
	if z := x.Reshape(6, 4); z.F32()[z.Stride(0)] != 4 || z.String() != "F32[6,4]" {
		t.Errorf("Reshape: %v", z)
	}
	if r := x.At(0).At(0).Strided([]int{5, 4}, []int{0, 1}); r.Len() != 20 || len(r.F32()) != 4 {
		t.Errorf("repeat view: %v", r)
	}
	if e := tensor.New(dtype.F32, 0, 5); e.Len() != 0 || len(e.F32()) != 0 || !e.Ok() {
		t.Errorf("empty: %v", e)
	}
	var none tensor.Tensor
	if none.Ok() || none.Len() != 0 || none.F32() != nil {
		t.Error("the zero Tensor must be none")
	}
}

func TestMisusePanics(t *testing.T) {
	x := tensor.New(dtype.F32, 2, 3)
	for name, f := range map[string]func(){
		"type":    func() { x.F64() },
		"index":   func() { x.At(2) },
		"narrow":  func() { x.Narrow(1, 2, 2) },
		"reshape": func() { x.T().Reshape(6) },
		"strided": func() { x.Strided([]int{2, 4}, []int{3, 1}) },
		"fit":     func() { tensor.Of(x.Storage(), 1, 6) },
		"device":  func() { tensor.Of(tensor.Device(dtype.F32, 4, 1<<20), 0, 4).F32() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

// TestArena checks disjointness, that steady use allocates nothing, and that one block is left after a reset.
func TestArena(t *testing.T) {
	a := tensor.NewArena(nil)
	round := func() {
		for i := 1; i < 40; i++ {
			x := a.New(dtype.F32, i, 100)
			x.F32()[0] = float32(i)
			a.New(dtype.I32, i)
		}
		a.Reset()
	}
	round()
	round()
	if n := testing.AllocsPerRun(10, round); n != 0 {
		t.Errorf("%v allocations per round", n)
	}
	x, y := a.New(dtype.F32, 7), a.New(dtype.F32, 9)
	copy(x.F32(), iota32(7))
	copy(y.F32(), iota32(9))
	if x.F32()[6] != 6 || y.F32()[0] != 0 {
		t.Error("tensors overlap")
	}
	a.Poison(true)
	if p := a.New(dtype.F64, 3).F64(); !math.IsNaN(p[2]) {
		t.Error("poison left no NaN")
	}
}
