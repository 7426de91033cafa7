// Package numbers is how different engines come to compute with the same numbers: a safetensors file of operands that each reads, one of answers
// that each writes, and their distance.
package numbers

import (
	"fmt"
	"math"
	"slices"

	"artel/dtype"
	"artel/rng"
	"artel/safetensors"
)

// Array is a named matrix of any rank, row by row.
type Array struct {
	Name  string
	Shape []int
	Data  []float32
}

// Write makes a file of float32 tensors.
func Write(path string, arrays ...Array) error {
	var h safetensors.Header
	for _, a := range arrays {
		h.Tensors = append(h.Tensors, safetensors.Info{Name: a.Name, DType: dtype.F32, Shape: a.Shape})
	}
	w, err := safetensors.Create(path, h)
	if err != nil {
		return err
	}
	for _, a := range arrays {
		w.F32(a.Name, a.Data) // the first error sticks
	}
	return w.Close()
}

// Read returns the tensors of a file by name.
func Read(path string) (map[string][]float32, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := map[string][]float32{}
	for _, t := range f.Tensors() {
		x, err := f.F32(t.Name)
		if err != nil {
			return nil, err
		}
		out[t.Name] = slices.Clone(x)
	}
	return out, nil
}

// Distance is the largest relative distance |a-b| / |b| over the tensors of want; a tensor that got lacks, or that has another size, is an error.
func Distance(got, want string) (float64, error) {
	g, err := Read(got)
	if err != nil {
		return 0, err
	}
	w, err := Read(want)
	if err != nil {
		return 0, err
	}
	most := 0.0
	for name, y := range w {
		x, ok := g[name]
		if !ok || len(x) != len(y) {
			return 0, fmt.Errorf("%s: %d numbers, want %d", name, len(x), len(y))
		}
		var diff, norm float64
		for i := range y {
			d := float64(x[i]) - float64(y[i])
			diff += d * d
			norm += float64(y[i]) * float64(y[i])
		}
		most = max(most, math.Sqrt(diff/norm))
		if math.IsNaN(diff) {
			return math.NaN(), nil
		}
	}
	return most, nil
}

// Product writes the operands a [m,k] and b [k,n] of a matrix product.
func Product(path string, m, n, k int) error {
	return Write(path, Array{"a", []int{m, k}, Normal(m*k, 1, 1)}, Array{"b", []int{k, n}, Normal(k*n, 1, 2)})
}

// Layer writes the input, the cotangent and the weights of a mixture of e experts: x and dy [t,d], router [d,e], gate and up [e,d,f], down [e,f,d].
func Layer(path string, t, d, f, e int) error {
	inner, outer := 1/math.Sqrt(float64(d)), 1/math.Sqrt(float64(f))
	return Write(path,
		Array{"x", []int{t, d}, Normal(t*d, 1, 1)}, Array{"dy", []int{t, d}, Normal(t*d, 1, 2)}, Array{"router", []int{d, e}, Normal(d*e, 0.05, 3)},
		Array{"gate", []int{e, d, f}, Normal(e*d*f, inner, 4)}, Array{"up", []int{e, d, f}, Normal(e*d*f, inner, 5)}, Array{"down", []int{e, f, d}, Normal(e*f*d, outer, 6)})
}

// Normal draws n normal numbers of the given standard deviation.
func Normal(n int, std float64, seed uint64) []float32 {
	s, out := rng.New(seed), make([]float32, n)
	for i := range out {
		out[i] = float32(std * s.Normal())
	}
	return out
}
