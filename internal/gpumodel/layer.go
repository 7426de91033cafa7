package gpumodel

import (
	"fmt"

	"artel/dtype"
	"artel/internal/mixture"
)

// Shape is a mixture layer to be emulated.
type Shape struct {
	Name string
	mixture.Shape
	Full mixture.Shape // what it is scaled down from
}

// Shapes returns mixture layers of published training benchmarks, each scaled down to what an emulator runs in seconds: 128 rows per expert in the mean, the same K, and widths that
// full tiles fill.
func Shapes() []Shape {
	return []Shape{
		{"1.4B, n 256", mixture.Shape{T: 256, D: 384, F: 128, E: 16, K: 8}, mixture.Shape{T: 40960, D: 768, F: 256, E: 128, K: 8}},
		{"7B, n 512", mixture.Shape{T: 256, D: 384, F: 256, E: 8, K: 4}, mixture.Shape{T: 24576, D: 1536, F: 512, E: 64, K: 4}},
		{"30B, n 1024", mixture.Shape{T: 256, D: 512, F: 256, E: 8, K: 4}, mixture.Shape{T: 32768, D: 4096, F: 1024, E: 64, K: 4}},
		{"120B, n 2048", mixture.Shape{T: 256, D: 512, F: 512, E: 8, K: 4}, mixture.Shape{T: 32768, D: 4096, F: 2048, E: 64, K: 4}},
	}
}

// Layer is a forward and a backward pass of a mixture layer with router.
func Layer(s Shape, products dtype.Type, capability int) (Section, error) {
	be, r, err := open(capability, products)
	if err != nil {
		return Section{}, err
	}
	l, err := mixture.New(s.Shape, be)
	if err != nil {
		return Section{}, err
	}
	r.start()
	if err := l.Step(); err != nil {
		return Section{}, err
	}
	title := fmt.Sprintf("A mixture layer, forward and backward: %s scaled down to %v (from %v), products in %v", s.Name, s.Shape, s.Full, products)
	return Section{title, r.work}, be.Sync()
}
