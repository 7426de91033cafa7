package main

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

// shape is the size of a layer: T tokens of width D, E experts with F hidden units, K of them per token.
type shape struct{ T, D, F, E, K int }

// shapes are those of the Python peers (benchmarks/peers/moe_layer.py).
var shapes = map[string]shape{
	"A": {4096, 512, 1024, 16, 2},
	"B": {8192, 256, 512, 64, 4},
	"C": {2048, 64, 128, 8, 2},
}

// flops is the useful arithmetic of a forward and a backward pass: three matrices per expert, three products each; the router and activations are
// not counted.
func (s shape) flops() float64 { return 3 * 2 * float64(s.T*s.K*s.D*s.F) * 3 }

// layer is one mixture with its input and the cotangent of its output.
type layer struct {
	shape
	be    *kernels.Backend
	moe   *moe.Layer
	sink  *param.Sink
	tape  *autograd.Tape
	x, dy tensor.Tensor
	block [1]autograd.Block
	saved int64
}

// newLayer builds a layer with the peers' distributions of inputs and weights.
func newLayer(s shape, be *kernels.Backend) (*layer, error) {
	cfg := moe.Default()
	cfg.Experts, cfg.K, cfg.Hidden, cfg.Balance, cfg.ZLoss = s.E, s.K, s.F, 0, 0
	cfg.Router = config.Member{Name: "softmax_topk"}
	b := param.NewBuilder()
	l := &layer{shape: s, be: be, block: [1]autograd.Block{{N: s.T}}}
	var err error
	if l.moe, err = moe.New(b, "layer", &cfg, s.D, 1, rng.New(1)); err != nil {
		return nil, err
	}
	set, err := b.Build(be, rng.New(2))
	if err != nil {
		return nil, err
	}
	draw := rng.New(3)
	for _, p := range set.Params {
		std := 0.05 // the router
		if p.Group.Kind == param.Expert {
			std = 1 / math.Sqrt(float64(p.Shape()[0]))
		}
		fill(p.Value.F32(), &draw, std)
	}
	l.x, l.dy = tensor.New(dtype.F32, s.T, s.D), tensor.New(dtype.F32, s.T, s.D)
	fill(l.x.F32(), &draw, 1)
	fill(l.dy.F32(), &draw, 1)
	l.sink, l.tape = param.NewPlain(be, set), autograd.NewTape(be, 1)
	return l, nil
}

func fill(x []float32, s *rng.Stream, std float64) {
	for i := range x {
		x[i] = float32(std * s.Normal())
	}
}

// leaf stands below the layer: an input that wants its gradient, as in the middle of a model.
type leaf struct{}

var leafKind = autograd.NewKind[leaf]("input")

// Backward does nothing: the gradient has arrived.
func (*leaf) Backward(*autograd.Tape) {}

// end stands above the layer and hands it the cotangent of its output.
type end struct {
	y  *autograd.Var
	dy tensor.Tensor
}

var endKind = autograd.NewKind[end]("output")

// Backward hands over the cotangent without copying it.
func (e *end) Backward(t *autograd.Tape) { t.Give(e.y, e.dy) }

// step is a forward and a backward pass.
func (l *layer) step() (float64, error) {
	t := l.tape
	t.Begin(autograd.Plain, false)
	l.sink.Begin(l.be)
	space := t.NewSpace(l.T, l.block[:], tensor.Tensor{})
	x := t.NewVar(l.x, space)
	t.Record("input", leafKind.New(t), x, true)
	y := l.moe.Forward(t, x)
	if t.Err() != nil {
		return 0, t.Err()
	}
	l.saved = t.Arena().Used() - int64(4*l.T*l.D) // without the output, which the next layer keeps
	out := endKind.New(t)
	*out = end{y, l.dy}
	t.Record("output", out, t.NewVar(y.Value, space), false, y)
	return 0, t.Backward(l.sink, nil)
}

// load is the rows of the fullest expert over the mean.
func (l *layer) load() float64 {
	s := l.moe.NewStats()
	l.moe.Observe(l.be, s)
	return s.MaxLoad()
}

// layerCase is what a worker is told: the name of a shape, or the shape itself.
type layerCase struct {
	Shape   string `json:"shape,omitempty"`
	T       int    `json:"T,omitempty"`
	D       int    `json:"D,omitempty"`
	F       int    `json:"F,omitempty"`
	E       int    `json:"E,omitempty"`
	K       int    `json:"K,omitempty"`
	Dtype   string `json:"dtype"`
	Threads int    `json:"threads,omitempty"` // 0: all
	Variant string `json:"variant,omitempty"` // of the kernels
}

// size returns the shape of a case, or an error when the case does not exist.
func (c *layerCase) size() (shape, error) {
	s := shape{c.T, c.D, c.F, c.E, c.K}
	if c.Shape != "" {
		var ok bool
		if s, ok = shapes[c.Shape]; !ok {
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
