package main

import (
	"fmt"
	"maps"
	"slices"

	"artel/dtype"

	"artel/internal/mixture"

	"artel/benchmarks/internal/numbers"
)

// layerCase is what a worker is told: the name of a shape, or the shape itself.
type layerCase struct {
	Shape   string `json:"shape,omitempty"`
	T       int    `json:"T,omitempty"`
	D       int    `json:"D,omitempty"`
	F       int    `json:"F,omitempty"`
	E       int    `json:"E,omitempty"`
	K       int    `json:"K,omitempty"`
	Fixed   bool   `json:"fixed,omitempty"` // picks without a router
	Dtype   string `json:"dtype"`
	Threads int    `json:"threads,omitempty"` // 0: all
	Variant string `json:"variant,omitempty"` // of the kernels
	Weights string `json:"weights,omitempty"` // file to take the numbers from; empty: random ones
	Answers string `json:"answers,omitempty"` // file to write the results to; empty: none
}

// size returns the shape of a case, or an error when the case does not exist.
func (c *layerCase) size() (mixture.Shape, error) {
	s := mixture.Shape{T: c.T, D: c.D, F: c.F, E: c.E, K: c.K}
	if c.Shape != "" {
		var ok bool
		if s, ok = mixture.Shapes[c.Shape]; !ok {
			return s, fmt.Errorf("layer: shape %q; want A, B or C", c.Shape)
		}
	}
	if c.Dtype != "f32" && c.Dtype != "bf16" {
		return s, fmt.Errorf("layer: dtype %q; want f32 or bf16", c.Dtype)
	}
	return s, nil
}

// products is the precision of matrix products; parameters, activations and sums are float32 in both.
func (c *layerCase) products() dtype.Type {
	if c.Dtype == "bf16" {
		return dtype.BF16
	}
	return dtype.F32
}

// setWeights gives a layer the numbers of a file.
func (c *layerCase) setWeights(l *mixture.Layer) error {
	w, err := numbers.Read(c.Weights)
	if err != nil {
		return err
	}
	if err := l.Set(w); err != nil {
		return fmt.Errorf("%s: %w", c.Weights, err)
	}
	return nil
}

// writeAnswers makes a step and keeps what it gives.
func (c *layerCase) writeAnswers(l *mixture.Layer) error {
	answers, err := l.Answers()
	if err != nil {
		return err
	}
	var arrays []numbers.Array
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		t := answers[name]
		arrays = append(arrays, numbers.Array{Name: name, Shape: t.Shape(), Data: t.F32()})
	}
	return numbers.Write(c.Answers, arrays...)
}
