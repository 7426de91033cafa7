package mixture

import (
	"fmt"
	"slices"

	"artel/benchmarks/internal/numbers"
)

// halves visits the matrices of all experts: f gets the expert, the flat offset of its up matrix [D,2F] (gate, then up) and of its down matrix [F,D].
func (l *Layer) halves(f func(e, up, down int)) {
	for e := range l.E {
		f(e, l.set.Lookup(fmt.Sprintf("layer.experts.%d.up", e)).Off, l.set.Lookup(fmt.Sprintf("layer.experts.%d.down", e)).Off)
	}
}

// Read takes input, cotangent and weights from a file of package numbers. The layer is in the host's memory.
func (l *Layer) Read(path string) error {
	w, err := numbers.Read(path)
	if err != nil {
		return err
	}
	for name, n := range map[string]int{"x": l.T * l.D, "dy": l.T * l.D, "router": l.D * l.E, "gate": l.E * l.D * l.F, "up": l.E * l.D * l.F, "down": l.E * l.D * l.F} {
		if len(w[name]) != n {
			return fmt.Errorf("%s: %s has %d numbers, want %d", path, name, len(w[name]), n)
		}
	}
	copy(l.x.F32(), w["x"])
	copy(l.dy.F32(), w["dy"])
	copy(l.set.Lookup("layer.router.weight").Value.F32(), w["router"])
	flat, d, f := l.set.Flat.F32(), l.D, l.F
	l.halves(func(e, up, down int) {
		for i := range d {
			copy(flat[up+2*i*f:], w["gate"][(e*d+i)*f:][:f])
			copy(flat[up+(2*i+1)*f:], w["up"][(e*d+i)*f:][:f])
		}
		copy(flat[down:], w["down"][e*f*d:][:f*d])
	})
	return nil
}

// Answers makes a step and writes the output and all gradients to a file.
func (l *Layer) Answers(path string) error {
	l.in.dx = make([]float32, l.T*l.D)
	defer func() { l.in.dx = nil }()
	if err := l.Forward(); err != nil {
		return err
	}
	y := slices.Clone(l.out.Value.F32()) // the backward pass may use its memory again
	if err := l.Backward(); err != nil {
		return err
	}
	grad, d, f := l.sink.Grad.F32(), l.D, l.F
	var gate, up, down []float32
	l.halves(func(_, u, o int) {
		for i := range d {
			gate = append(gate, grad[u+2*i*f:][:f]...)
			up = append(up, grad[u+(2*i+1)*f:][:f]...)
		}
		down = append(down, grad[o:][:f*d]...)
	})
	router := grad[l.set.Lookup("layer.router.weight").Off:][:d*l.E]
	return numbers.Write(path,
		numbers.Array{Name: "y", Shape: []int{l.T, d}, Data: y}, numbers.Array{Name: "dx", Shape: []int{l.T, d}, Data: l.in.dx},
		numbers.Array{Name: "drouter", Shape: []int{d, l.E}, Data: router}, numbers.Array{Name: "dgate", Shape: []int{l.E, d, f}, Data: gate},
		numbers.Array{Name: "dup", Shape: []int{l.E, d, f}, Data: up}, numbers.Array{Name: "ddown", Shape: []int{l.E, f, d}, Data: down})
}
