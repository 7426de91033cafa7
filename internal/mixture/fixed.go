package mixture

import (
	"fmt"

	"artel/autograd"
	"artel/dtype"
	"artel/kernels"
	"artel/param"
	"artel/rng"
	"artel/tensor"
)

// NewFixed builds the experts alone, without a router: every token has picks drawn evenly and weights that want their gradient.
func NewFixed(s Shape, be *kernels.Backend) (*Layer, error) {
	b := param.NewBuilder()
	l := &Layer{Shape: s, up: &param.Bank{}, down: &param.Bank{}}
	zero := func(rng.Stream, int) float64 { return 0 }
	for e := range s.E {
		key, name := param.Key{Kind: param.Expert, Layer: "layer", Expert: e}, fmt.Sprintf("experts.%d.", e)
		l.up.Experts = append(l.up.Experts, b.Add(key, name+"up", true, zero, s.D, kernels.SwiGLU.Width(s.F)))
		l.down.Experts = append(l.down.Experts, b.Add(key, name+"down", true, zero, s.F, s.D))
	}
	if err := l.build(b, be); err != nil {
		return nil, err
	}
	draw := rng.New(4)
	index, weights := tensor.New(dtype.I32, s.T, s.K), tensor.New(dtype.F32, s.T, s.K)
	for t := range s.T {
		first := draw.Intn(s.E)
		for k := range s.K { // different experts
			index.I32()[t*s.K+k] = int32((first + k*(1+draw.Intn(max(s.E/s.K, 1)))) % s.E)
			weights.F32()[t*s.K+k] = float32(draw.Float64())
		}
	}
	l.index, l.weights = be.New(dtype.I32, s.T, s.K), be.New(dtype.F32, s.T, s.K)
	be.Copy(kernels.Copy{Dst: l.index, Src: index})
	be.Copy(kernels.Copy{Dst: l.weights, Src: weights})
	return l, nil
}

// fixed records the experts.
func (l *Layer) fixed(t *autograd.Tape, x *autograd.Var) *autograd.Var {
	w := t.NewVar(l.weights, x.Space)
	t.Record("weights", &l.scores, w, true)
	return autograd.Experts(t, x, w, t.Plan(x.Space, l.index, l.E, 0), l.up, l.down, kernels.SwiGLU)
}
