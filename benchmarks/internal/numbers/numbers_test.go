package numbers_test

import (
	"math"
	"path/filepath"
	"testing"

	"artel/benchmarks/internal/numbers"
)

func TestDistance(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, arrays ...numbers.Array) string {
		path := filepath.Join(dir, name)
		if err := numbers.Write(path, arrays...); err != nil {
			t.Fatal(err)
		}
		return path
	}
	want := file("want", numbers.Array{Name: "y", Shape: []int{2}, Data: []float32{3, 4}}, numbers.Array{Name: "z", Shape: []int{1}, Data: []float32{2}})
	got := file("got", numbers.Array{Name: "y", Shape: []int{2}, Data: []float32{3, 4}}, numbers.Array{Name: "z", Shape: []int{1}, Data: []float32{2.5}})
	if d, err := numbers.Distance(got, want); err != nil || math.Abs(d-0.25) > 1e-9 {
		t.Errorf("distance %v, %v; want 0.25", d, err)
	}
	if _, err := numbers.Distance(file("less", numbers.Array{Name: "y", Shape: []int{2}, Data: []float32{3, 4}}), want); err == nil {
		t.Error("a missing tensor is no error")
	}
	nan := file("nan", numbers.Array{Name: "y", Shape: []int{2}, Data: []float32{3, 4}}, numbers.Array{Name: "z", Shape: []int{1}, Data: []float32{float32(math.NaN())}})
	if d, _ := numbers.Distance(nan, want); d == d {
		t.Errorf("distance %v of NaN", d)
	}
}
