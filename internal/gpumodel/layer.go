package gpumodel

import (
	"fmt"

	"artel/autograd"
	"artel/dtype"
	"artel/kernels"
	"artel/moe"
	"artel/param"
	"artel/rng"
	"artel/tensor"
)

// Shape is a mixture layer: T tokens of width D, E SwiGLU experts with N hidden units, K of them per token.
type Shape struct {
	Name          string
	T, D, N, E, K int
	Full          string // what it is scaled down from
}

// Shapes returns mixture layers of published training benchmarks, each scaled down to what an emulator runs in seconds: 128 rows per expert in the mean, the same K, and widths that
// full tiles fill.
func Shapes() []Shape {
	return []Shape{
		{"1.4B, n 256", 256, 384, 128, 16, 8, "T 40960, D 768, N 256, E 128, K 8"},
		{"7B, n 512", 256, 384, 256, 8, 4, "T 24576, D 1536, N 512, E 64, K 4"},
		{"30B, n 1024", 256, 512, 256, 8, 4, "T 32768, D 4096, N 1024, E 64, K 4"},
		{"120B, n 2048", 256, 512, 512, 8, 4, "T 32768, D 4096, N 2048, E 64, K 4"},
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

// Layer is a forward and a backward pass of a mixture layer with router.
func Layer(s Shape, products dtype.Type, capability int) (Section, error) {
	be, r, err := open(capability, products)
	if err != nil {
		return Section{}, err
	}
	cfg := moe.Default()
	cfg.Experts, cfg.K, cfg.Hidden, cfg.Balance, cfg.ZLoss = s.E, s.K, s.N, 0, 0
	b := param.NewBuilder()
	l, err := moe.New(b, "layer", &cfg, s.D, 1, rng.New(1))
	if err != nil {
		return Section{}, err
	}
	set, err := b.Build(be, rng.New(2))
	if err != nil {
		return Section{}, err
	}
	x, dy := normal(be, 3, s.T, s.D), normal(be, 4, s.T, s.D)
	sink, t := param.NewPlain(be, set), autograd.NewTape(be, 1)
	r.start()
	t.Begin(autograd.Plain, false)
	sink.Begin(be)
	space := t.NewSpace(s.T, []autograd.Block{{N: s.T}}, tensor.Tensor{})
	in := t.NewVar(x, space)
	t.Record("input", leafKind.New(t), in, true)
	y := l.Forward(t, in)
	if t.Err() != nil {
		return Section{}, t.Err()
	}
	out := endKind.New(t)
	*out = end{y, dy}
	t.Record("output", out, t.NewVar(y.Value, space), false, y)
	if err := t.Backward(sink, nil); err != nil {
		return Section{}, err
	}
	title := fmt.Sprintf("A mixture layer, forward and backward: %s scaled down to T %d, D %d, N %d, E %d, K %d (from %s), products in %v", s.Name, s.T, s.D, s.N, s.E, s.K, s.Full, products)
	return Section{title, r.work}, be.Sync()
}

// normal returns a matrix of normal numbers on the device.
func normal(be *kernels.Backend, seed uint64, rows, cols int) tensor.Tensor {
	v, s := make([]float32, rows*cols), rng.New(seed)
	for i := range v {
		v[i] = float32(s.Normal())
	}
	dst := be.New(be.Float, rows, cols)
	be.Copy(kernels.Copy{Dst: dst, Src: tensor.FromF32(v, rows, cols)})
	return dst
}
