package gorgonia

import (
	"fmt"
	"hash"

	"artel/moe"
	"artel/param"

	"github.com/pkg/errors"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Options describes a layer.
type Options struct {
	moe.Config              // experts, k, hidden width, router, auxiliary losses; see moe.Default
	Type       tensor.Dtype // tensor.Float32 (fast kernels) or tensor.Float64 (reference kernels)
	Seed       uint64       // of the initial weights and of router noise
}

// Layer is a sparse mixture of experts in a graph.
type Layer struct {
	// Weights holds all parameters, [P], in the order of Parameters. It is the node to differentiate with respect to and to hand to a solver.
	Weights *G.Node

	name    string
	run     *runner
	applied bool
}

// New declares a layer for rows [tokens,width] in graph g. It returns an error that names the option for a mixture that cannot be, a router that needs to know tasks, or another
// element type.
func New(g *G.ExprGraph, name string, tokens, width int, o Options) (*Layer, error) {
	if tokens < 1 || width < 1 {
		return nil, errors.Errorf("gorgonia: %s: rows of shape [%d,%d], want positive numbers", name, tokens, width)
	}
	run, err := newRunner(name, tokens, width, o)
	if err != nil {
		return nil, errors.Wrapf(err, "gorgonia: %s", name)
	}
	l := &Layer{name: name, run: run}
	l.Weights = G.NewVector(g, o.Type, G.WithName(name+".weights"), G.WithShape(run.set.Flat.Len()), G.WithValue(run.weights()))
	return l, nil
}

// Parameters lists the layer's parameters: names, shapes and their places [Off, Off+Len) in Weights. Between them are a few zeros that stay zero.
func (l *Layer) Parameters() []*param.Param { return l.run.set.Params }

// Apply puts the layer on the graph: y [tokens,width] and the sum of the auxiliary losses, a scalar to be added to the loss; both are differentiable. x must have the layer's
// shape and type. A layer holds the record of one forward pass, so it is applied once: a second Apply is an error.
func (l *Layer) Apply(x *G.Node) (y, aux *G.Node, err error) {
	r := l.run
	if s := x.Shape(); len(s) != 2 || s[0] != r.tokens || s[1] != r.width {
		return nil, nil, errors.Errorf("gorgonia: %s: input of shape %v, want (%d, %d)", l.name, s, r.tokens, r.width)
	}
	if x.Dtype() != r.dtype {
		return nil, nil, errors.Errorf("gorgonia: %s: input of type %v, want %v", l.name, x.Dtype(), r.dtype)
	}
	if l.applied {
		return nil, nil, errors.Errorf("gorgonia: %s: applied twice; a layer keeps one forward pass: declare another layer", l.name)
	}
	flat, err := G.ApplyOp(&forward{l}, x, l.Weights)
	if err != nil {
		return nil, nil, err
	}
	n := r.tokens * r.width
	rows, err := G.Slice(flat, G.S(0, n))
	if err != nil {
		return nil, nil, err
	}
	if y, err = G.Reshape(rows, tensor.Shape{r.tokens, r.width}); err != nil {
		return nil, nil, err
	}
	aux, err = G.Slice(flat, G.S(n))
	l.applied = err == nil
	return y, aux, err
}

// sum identifies an operation of the layer by the address of its record: a graph merges operations that look the same, and equal layers must not be merged.
func (l *Layer) sum(h hash.Hash, kind string) { fmt.Fprintf(h, "%s%s %p", kind, l.name, l.run) }
