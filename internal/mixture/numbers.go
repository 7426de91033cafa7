package mixture

import (
	"fmt"
	"slices"

	"artel/tensor"
)

// halves visits the matrices of all experts: f gets the expert, the flat offset of its up matrix [D,2F] (gate, then up) and of its down matrix [F,D].
func (l *Layer) halves(f func(e, up, down int)) {
	for e := range l.E {
		f(e, l.set.Lookup(fmt.Sprintf("layer.experts.%d.up", e)).Off, l.set.Lookup(fmt.Sprintf("layer.experts.%d.down", e)).Off)
	}
}

// Set takes input, cotangent and weights by name: x, dy [T,D], router [D,E], gate, up [E,D,F], down [E,F,D]. The layer is in the host's memory.
func (l *Layer) Set(w map[string][]float32) error {
	for name, n := range map[string]int{"x": l.T * l.D, "dy": l.T * l.D, "router": l.D * l.E, "gate": l.E * l.D * l.F, "up": l.E * l.D * l.F, "down": l.E * l.D * l.F} {
		if len(w[name]) != n {
			return fmt.Errorf("%s has %d numbers, want %d", name, len(w[name]), n)
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

// Answers makes a step and returns the output y and all gradients, named like what Set takes with a d before.
func (l *Layer) Answers() (map[string]tensor.Tensor, error) {
	l.in.dx = make([]float32, l.T*l.D)
	defer func() { l.in.dx = nil }()
	if err := l.Forward(); err != nil {
		return nil, err
	}
	y := slices.Clone(l.out.Value.F32()) // the backward pass may use its memory again
	if err := l.Backward(); err != nil {
		return nil, err
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
	return map[string]tensor.Tensor{
		"y": tensor.FromF32(y, l.T, d), "dx": tensor.FromF32(l.in.dx, l.T, d), "drouter": tensor.FromF32(router, d, l.E),
		"dgate": tensor.FromF32(gate, l.E, d, f), "dup": tensor.FromF32(up, l.E, d, f), "ddown": tensor.FromF32(down, l.E, f, d),
	}, nil
}
