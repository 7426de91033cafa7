package gorgonia

import (
	"hash"
	"hash/fnv"

	artel "artel/tensor"

	"github.com/chewxy/hm"
	"github.com/pkg/errors"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// forward maps rows [tokens,width] and weights [P] to a vector [tokens*width+1]: the output, then the auxiliary losses.
type forward struct{ l *Layer }

func vector(a hm.TypeVariable) G.TensorType { return G.TensorType{Dims: 1, Of: a} }
func matrix(a hm.TypeVariable) G.TensorType { return G.TensorType{Dims: 2, Of: a} }

func (o *forward) Arity() int { return 2 }

func (o *forward) Type() hm.Type {
	a := hm.TypeVariable('a')
	return hm.NewFnType(matrix(a), vector(a), vector(a))
}

func (o *forward) InferShape(in ...G.DimSizer) (tensor.Shape, error) {
	if len(in) != 2 {
		return nil, errors.Errorf("%v: %d inputs, want 2", o, len(in))
	}
	return tensor.Shape{o.l.run.tokens*o.l.run.width + 1}, nil
}

func (o *forward) Do(in ...G.Value) (G.Value, error) {
	if len(in) != 2 {
		return nil, errors.Errorf("%v: %d inputs, want 2", o, len(in))
	}
	v, err := o.l.run.forward(in[0], in[1])
	return v, errors.Wrap(err, o.String())
}

func (o *forward) ReturnsPtr() bool      { return false }
func (o *forward) CallsExtern() bool     { return false }
func (o *forward) OverwritesInput() int  { return -1 }
func (o *forward) WriteHash(h hash.Hash) { o.l.sum(h, "artel mixture ") }
func (o *forward) Hashcode() uint32      { return code(o) }
func (o *forward) String() string        { return "artel mixture " + o.l.name }

// DiffWRT says that both inputs have gradients.
func (o *forward) DiffWRT(n int) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = true
	}
	return out
}

// SymDiff puts two operations on the graph: the backward pass, whose value is the gradient of the rows, and after it the gradient of the weights, which that pass made too.
func (o *forward) SymDiff(in G.Nodes, output, grad *G.Node) (G.Nodes, error) {
	if len(in) != 2 {
		return nil, errors.Errorf("%v: %d inputs, want 2", o, len(in))
	}
	dx, err := G.ApplyOp(&backward{o.l}, in[0], in[1], output, grad)
	if err != nil {
		return nil, err
	}
	dw, err := G.ApplyOp(&weightGrad{o.l}, dx)
	return G.Nodes{dx, dw}, err
}

// DoDiff adds the gradients of the inputs, in a LispMachine.
func (o *forward) DoDiff(_ G.ExecutionContext, in G.Nodes, output *G.Node) error {
	grad, err := output.Grad()
	if err != nil {
		return errors.Wrap(err, o.String())
	}
	dx, err := o.l.run.backward(grad)
	if err != nil {
		return errors.Wrap(err, o.String())
	}
	for i, d := range []artel.Tensor{dx, o.l.run.sink.Grad} {
		g, err := in[i].Grad()
		if err != nil {
			continue // an input that nobody wants the gradient of
		}
		if err := o.l.run.addTo(g, d); err != nil {
			return errors.Wrap(err, o.String())
		}
	}
	return nil
}

// backward maps the inputs and the output of forward, and the gradient of the output, to the gradient of the rows, [tokens,width].
type backward struct{ l *Layer }

func (o *backward) Arity() int { return 4 }

func (o *backward) Type() hm.Type {
	a := hm.TypeVariable('a')
	return hm.NewFnType(matrix(a), vector(a), vector(a), vector(a), matrix(a))
}

func (o *backward) InferShape(in ...G.DimSizer) (tensor.Shape, error) {
	if len(in) != 4 {
		return nil, errors.Errorf("%v: %d inputs, want 4", o, len(in))
	}
	return tensor.Shape{o.l.run.tokens, o.l.run.width}, nil
}

func (o *backward) Do(in ...G.Value) (G.Value, error) {
	if len(in) != 4 {
		return nil, errors.Errorf("%v: %d inputs, want 4", o, len(in))
	}
	dx, err := o.l.run.backward(in[3])
	if err != nil {
		return nil, errors.Wrap(err, o.String())
	}
	return o.l.run.value(dx)
}

func (o *backward) ReturnsPtr() bool      { return false }
func (o *backward) CallsExtern() bool     { return false }
func (o *backward) OverwritesInput() int  { return -1 }
func (o *backward) WriteHash(h hash.Hash) { o.l.sum(h, "artel mixture gradient ") }
func (o *backward) Hashcode() uint32      { return code(o) }
func (o *backward) String() string        { return "gradient of artel mixture " + o.l.name }

// weightGrad maps the gradient of the rows, which it takes only to come after it, to the gradient of the weights, [P].
type weightGrad struct{ l *Layer }

func (o *weightGrad) Arity() int { return 1 }

func (o *weightGrad) Type() hm.Type {
	a := hm.TypeVariable('a')
	return hm.NewFnType(matrix(a), vector(a))
}

func (o *weightGrad) InferShape(in ...G.DimSizer) (tensor.Shape, error) {
	if len(in) != 1 {
		return nil, errors.Errorf("%v: %d inputs, want 1", o, len(in))
	}
	return tensor.Shape{o.l.run.set.Flat.Len()}, nil
}

func (o *weightGrad) Do(...G.Value) (G.Value, error) { return o.l.run.value(o.l.run.sink.Grad) }

func (o *weightGrad) ReturnsPtr() bool      { return false }
func (o *weightGrad) CallsExtern() bool     { return false }
func (o *weightGrad) OverwritesInput() int  { return -1 }
func (o *weightGrad) WriteHash(h hash.Hash) { o.l.sum(h, "artel mixture weight gradient ") }
func (o *weightGrad) Hashcode() uint32      { return code(o) }
func (o *weightGrad) String() string        { return "weight gradient of artel mixture " + o.l.name }

func code(o interface{ WriteHash(hash.Hash) }) uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}
