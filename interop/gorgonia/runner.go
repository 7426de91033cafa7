package gorgonia

import (
	"artel/autograd"
	"artel/config"
	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cpu"
	"artel/kernels/ref"
	"artel/moe"
	"artel/param"
	"artel/rng"
	artel "artel/tensor"

	"github.com/pkg/errors"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// runner runs a mixture layer on Artel's tape, for one task.
type runner struct {
	tokens, width int
	dtype         tensor.Dtype
	be            *kernels.Backend
	tape          *autograd.Tape
	layer         *moe.Layer
	set           *param.Set
	sink          *param.Sink
	keys          artel.Tensor // I32 [tokens,2]: of random numbers, by row and pass
	passes        int32
	seed          artel.Tensor // F64 [1]: the gradient of the auxiliary losses
	ends          ends
	ready         bool // a forward pass waits for its backward pass
}

// newRunner declares the layer's parameters.
func newRunner(name string, tokens, width int, o Options) (*runner, error) {
	r := &runner{tokens: tokens, width: width, dtype: o.Type}
	switch o.Type {
	case tensor.Float32:
		r.be = cpu.New()
	case tensor.Float64:
		r.be = ref.New()
	default:
		return nil, errors.Errorf("type %v, want %v or %v", o.Type, tensor.Float32, tensor.Float64)
	}
	cfg := o.Config
	if cfg.Router.Name == "" {
		cfg.Router = config.Member{Name: "softmax_topk"}
	}
	if e, err := moe.Lookup(cfg.Router.Name); err != nil {
		return nil, err
	} else if e.Owned {
		return nil, errors.Errorf("router %s needs to know the task of a row, which a Gorgonia graph does not tell", e.Name)
	}
	if cfg.TaskBalance > 0 {
		return nil, errors.New("task_balance is counted by task, which a Gorgonia graph does not tell; want balance")
	}
	if err := inRange(cfg); err != nil {
		return nil, err
	}
	seed := rng.New(o.Seed)
	b := param.NewBuilder()
	var err error
	if r.layer, err = moe.New(b, name, &cfg, width, 1, seed.Sub("noise")); err != nil {
		return nil, err
	}
	if r.set, err = b.Build(r.be, seed.Sub("parameters")); err != nil {
		return nil, err
	}
	r.tape, r.sink = autograd.NewTape(r.be, 1), param.NewPlain(r.be, r.set)
	r.keys, r.seed = r.be.New(dtype.I32, tokens, 2), r.be.New(dtype.F64, 1)
	return r, nil
}

// inRange checks the numbers of a mixture as a config file's are checked.
func inRange(c moe.Config) error {
	text, err := config.Encode(c)
	if err != nil {
		return err
	}
	_, err = config.Decode(&c, config.File("options", text))
	return err
}

// weights returns a Gorgonia tensor over the memory of the parameters.
func (r *runner) weights() tensor.Tensor {
	flat := r.set.Flat
	if r.dtype == tensor.Float32 {
		return tensor.New(tensor.WithShape(flat.Len()), tensor.WithBacking(flat.F32()[:flat.Len()]))
	}
	return tensor.New(tensor.WithShape(flat.Len()), tensor.WithBacking(flat.F64()[:flat.Len()]))
}

// view makes a tensor over the elements of a Gorgonia value, without a copy.
func (r *runner) view(v G.Value, n int) (artel.Tensor, error) {
	switch s := v.Data().(type) {
	case []float32:
		if r.dtype == tensor.Float32 && len(s) == n {
			return artel.Of(artel.WrapF32(s), 0, n), nil
		}
	case []float64:
		if r.dtype == tensor.Float64 && len(s) == n {
			return artel.Of(artel.WrapF64(s), 0, n), nil
		}
	}
	return artel.Tensor{}, errors.Errorf("a value of type %v and shape %v, want %d contiguous elements of %v", v.Dtype(), v.Shape(), n, r.dtype)
}

// load takes the weights over, unless they are the layer's own memory.
func (r *runner) load(w G.Value) error {
	v, err := r.view(w, r.set.Flat.Len())
	if err != nil {
		return errors.Wrap(err, "weights")
	}
	if !sameMemory(v, r.set.Flat) {
		r.be.Copy(kernels.Copy{Dst: r.set.Flat, Src: v})
	}
	r.set.Refresh(0, r.set.Flat.Len())
	return nil
}

func sameMemory(a, b artel.Tensor) bool {
	if a.Type == dtype.F32 {
		return &a.F32()[0] == &b.F32()[0]
	}
	return &a.F64()[0] == &b.F64()[0]
}

// forward computes output and auxiliary losses, [tokens*width+1].
func (r *runner) forward(x, w G.Value) (G.Value, error) {
	n := r.tokens * r.width
	in, err := r.view(x, n)
	if err != nil {
		return nil, errors.Wrap(err, "input")
	}
	if err := r.load(w); err != nil {
		return nil, err
	}
	out := tensor.New(tensor.WithShape(n+1), tensor.Of(r.dtype))
	flat, err := r.view(out, n+1)
	if err != nil {
		return nil, err
	}
	r.passes++
	for i := range r.tokens {
		r.keys.I32()[2*i], r.keys.I32()[2*i+1] = int32(i), r.passes
	}
	t := r.tape
	t.Begin(autograd.Plain, false)
	s := t.NewSpace(r.tokens, []autograd.Block{{N: r.tokens}}, r.keys)
	r.ends = ends{}
	y := r.layer.Forward(t, r.ends.input(t, in.Reshape(r.tokens, r.width), s))
	r.ends.output(t, y)
	if err := t.Err(); err != nil {
		return nil, err
	}
	r.be.Copy(kernels.Copy{Dst: flat.Narrow(0, 0, n).Reshape(r.tokens, r.width), Src: y.Value})
	aux := 0.0
	for i := range t.Losses() {
		aux += t.LossAt(i).Value.F64()[0]
	}
	r.be.Fill(flat.Narrow(0, n, 1), aux)
	r.ready = true
	return out, nil
}

// backward runs the backward pass for the gradient of the output, [tokens*width+1]. It returns the gradient of the rows, valid until the next forward pass; that of the weights is
// sink.Grad then.
func (r *runner) backward(grad G.Value) (dx artel.Tensor, err error) {
	if !r.ready {
		return dx, errors.New("backward without a forward pass before it: a layer runs in one machine at a time, and has no second derivatives")
	}
	r.ready = false
	n := r.tokens * r.width
	dy, err := r.view(grad, n+1)
	if err != nil {
		return dx, errors.Wrap(err, "gradient")
	}
	r.ends.dy = dy.Narrow(0, 0, n).Reshape(r.tokens, r.width)
	r.ends.dx = r.tape.New(r.tokens, r.width)
	r.be.Copy(kernels.Copy{Dst: r.seed, Src: dy.Narrow(0, n, 1)})
	r.sink.Begin(r.be)
	if err := r.tape.Backward(r.sink, r.seed.F64()); err != nil {
		return dx, err
	}
	r.sink.Settle(r.be, artel.Tensor{}, artel.Tensor{}, false)
	return r.ends.dx, nil
}

// value returns a new Gorgonia value with the elements and the shape of t.
func (r *runner) value(t artel.Tensor) (G.Value, error) {
	v := tensor.New(tensor.WithShape(t.Shape()...), tensor.Of(r.dtype))
	dst, err := r.view(v, t.Len())
	if err == nil {
		r.be.Copy(kernels.Copy{Dst: dst.Reshape(t.Shape()...), Src: t})
	}
	return v, err
}

// addTo adds the elements of t to the value g.
func (r *runner) addTo(g G.Value, t artel.Tensor) error {
	dst, err := r.view(g, t.Len())
	if err == nil {
		r.be.Axpy(kernels.Axpy{Dst: dst.Reshape(t.Shape()...), Src: t, Alpha: 1, Accumulate: true})
	}
	return errors.Wrap(err, "gradient of an input")
}

// ends are where the tape begins and ends: rows whose gradient is wanted, and an output whose gradient is given.
type ends struct{ dx, dy artel.Tensor }

type start struct {
	ends *ends
	out  *autograd.Var
}

type stop struct {
	ends *ends
	in   *autograd.Var
}

var (
	startKind = autograd.NewKind[start]("gorgonia input")
	stopKind  = autograd.NewKind[stop]("gorgonia output")
)

func (e *ends) input(t *autograd.Tape, x artel.Tensor, s *autograd.Space) *autograd.Var {
	op := startKind.New(t)
	*op = start{e, t.NewVar(x, s)}
	return t.Record("gorgonia input", op, op.out, true)
}

func (o *start) Backward(t *autograd.Tape) {
	if g, ok := t.Grad(o.out); ok {
		t.Backend().Copy(kernels.Copy{Dst: o.ends.dx, Src: g})
	} else {
		t.Backend().Fill(o.ends.dx, 0)
	}
}

func (e *ends) output(t *autograd.Tape, y *autograd.Var) {
	op := stopKind.New(t)
	*op = stop{e, y}
	t.Record("gorgonia output", op, t.NewVar(artel.Tensor{}, y.Space), false, y)
}

func (o *stop) Backward(t *autograd.Tape) { t.Add(o.in, o.ends.dy) }
