// Package mixture builds one sparse mixture-of-experts layer as the benchmarks time it: between an input that wants its gradient and a given
// gradient of its output.
package mixture

import (
	"fmt"
	"math"

	"artel/autograd"
	"artel/config"
	"artel/dtype"
	"artel/kernels"
	"artel/moe"
	"artel/param"
	"artel/rng"
	"artel/tensor"
)

// Shape is the size of a layer: T tokens of width D, E experts with F hidden units, K of them per token.
type Shape struct{ T, D, F, E, K int }

// Shapes are those of the comparison on CPUs.
var Shapes = map[string]Shape{
	"A": {4096, 512, 1024, 16, 2},
	"B": {8192, 256, 512, 64, 4},
	"C": {2048, 64, 128, 8, 2},
}

// String spells the sizes.
func (s Shape) String() string {
	return fmt.Sprintf("T %d, D %d, F %d, E %d, K %d", s.T, s.D, s.F, s.E, s.K)
}

// Flops is the useful arithmetic of a forward and a backward pass: three matrices per expert, three products each; the router and activations are
// not counted.
func (s Shape) Flops() float64 { return 3 * 2 * float64(s.T*s.K*s.D*s.F) * 3 }

// Layer is one mixture with its input and the cotangent of its output.
type Layer struct {
	Shape
	Saved int64 // bytes kept from the last forward pass to its backward pass, the input and the output aside

	be    *kernels.Backend
	moe   *moe.Layer
	sink  *param.Sink
	tape  *autograd.Tape
	x, dy tensor.Tensor
	block [1]autograd.Block
	out   *autograd.Var
	set   *param.Set
	in    leaf

	// In place of a router: fixed picks and weights.
	index, weights tensor.Tensor
	up, down       *param.Bank
	scores         leaf
}

// New builds a layer with the peers' distributions of inputs and weights.
func New(s Shape, be *kernels.Backend) (*Layer, error) {
	cfg := moe.Default()
	cfg.Experts, cfg.K, cfg.Hidden, cfg.Balance, cfg.ZLoss = s.E, s.K, s.F, 0, 0
	cfg.Router = config.Member{Name: "softmax_topk"}
	b := param.NewBuilder()
	l := &Layer{Shape: s}
	var err error
	if l.moe, err = moe.New(b, "layer", &cfg, s.D, 1, rng.New(1)); err != nil {
		return nil, err
	}
	return l, l.build(b, be)
}

// build fills weights and input.
func (l *Layer) build(b *param.Builder, be *kernels.Backend) error {
	s := l.Shape
	l.be, l.block = be, [1]autograd.Block{{N: s.T}}
	set, err := b.Build(be, rng.New(2))
	if err != nil {
		return err
	}
	draw := rng.New(3)
	for _, p := range set.Params {
		std := 0.05 // the router
		if p.Group.Kind == param.Expert {
			std = 1 / math.Sqrt(float64(p.Shape()[0]))
		}
		fill(be, p.Value, &draw, std)
	}
	set.Refresh(0, set.Flat.Len())
	l.x, l.dy = be.New(dtype.F32, s.T, s.D), be.New(dtype.F32, s.T, s.D)
	fill(be, l.x, &draw, 1)
	fill(be, l.dy, &draw, 1)
	l.set, l.sink, l.tape = set, param.NewPlain(be, set), autograd.NewTape(be, 1)
	return nil
}

// fill writes normal values of the given deviation, wherever x lies.
func fill(be *kernels.Backend, x tensor.Tensor, s *rng.Stream, std float64) {
	host := tensor.New(dtype.F32, x.Shape()...)
	for i, v := 0, host.F32(); i < len(v); i++ {
		v[i] = float32(std * s.Normal())
	}
	be.Copy(kernels.Copy{Dst: x, Src: host})
}

// leaf stands below the layer: an input that wants its gradient, as in the middle of a model.
type leaf struct {
	x  *autograd.Var
	dx []float32 // where the gradient is copied to; nil: nowhere
}

// Backward finds that the gradient has arrived.
func (l *leaf) Backward(t *autograd.Tape) {
	if l.dx != nil {
		g, _ := t.Grad(l.x)
		copy(l.dx, g.F32())
	}
}

// end stands above the layer and hands it the cotangent of its output.
type end struct {
	y  *autograd.Var
	dy tensor.Tensor
}

var endKind = autograd.NewKind[end]("output")

// Backward hands over the cotangent without copying it.
func (e *end) Backward(t *autograd.Tape) { t.Give(e.y, e.dy) }

// Step is a forward and a backward pass.
func (l *Layer) Step() error {
	if err := l.Forward(); err != nil {
		return err
	}
	return l.Backward()
}

// Forward begins a step.
func (l *Layer) Forward() error {
	t := l.tape
	t.Begin(autograd.Plain, false)
	l.sink.Begin(l.be)
	space := t.NewSpace(l.T, l.block[:], tensor.Tensor{})
	x := t.NewVar(l.x, space)
	l.in.x = x
	t.Record("input", &l.in, x, true)
	if l.moe != nil {
		l.out = l.moe.Forward(t, x)
	} else {
		l.out = l.fixed(t, x)
	}
	if t.Err() != nil {
		return t.Err()
	}
	l.Saved = t.Arena().Used() - int64(4*l.T*l.D) // without the output, which the next layer keeps
	out := endKind.New(t)
	*out = end{l.out, l.dy}
	t.Record("output", out, t.NewVar(l.out.Value, space), false, l.out)
	return nil
}

// Backward ends what Forward began.
func (l *Layer) Backward() error { return l.tape.Backward(l.sink, nil) }

// Load is the rows of the fullest expert over the mean; 0 without a router.
func (l *Layer) Load() float64 {
	if l.moe == nil {
		return 0
	}
	s := l.moe.NewStats()
	l.moe.Observe(l.be, s)
	return s.MaxLoad()
}
