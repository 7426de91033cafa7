// Command gomlx is the worker of GoMLX on its Go backend: the matrix product, and a mixture layer in two forms; build it with GOEXPERIMENT=simd for its vector code.
package main

import (
	"fmt"

	"artel/benchmarks/rivals/internal/lines"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

func main() {
	lines.Serve(lines.Engine{Product: product, Layer: layer})
}

func product(p *lines.Case, x, y []float32) (lines.Step, error) {
	be, err := gobackend.New("")
	if err != nil {
		return nil, err
	}
	a, b := tensors.FromFlatDataAndDimensions(x, p.M, p.Depth), tensors.FromFlatDataAndDimensions(y, p.Depth, p.N)
	exec, err := graph.NewExec(be, func(a, b *graph.Node) *graph.Node { return graph.MatMul(a, b) })
	if err != nil {
		return nil, err
	}
	return caller(exec, []string{"c"}, a, b), nil
}

// caller runs a graph; its outputs are the answers by name.
func caller(exec *graph.Exec, names []string, in ...any) lines.Step {
	return func(want bool) (lines.Answers, error) {
		out, err := exec.Call(in...)
		if err != nil {
			return nil, err
		}
		answers := lines.Answers{}
		for i, t := range out {
			if want {
				x, err := tensors.CopyFlatData[float32](t)
				if err != nil {
					return nil, err
				}
				answers[names[i]] = x
			}
			if err := t.FinalizeAll(); err != nil {
				return nil, err
			}
		}
		return answers, nil
	}
}

func layer(l *lines.Layer) (lines.Step, error) {
	be, err := gobackend.New("")
	if err != nil {
		return nil, err
	}
	forms := map[string]form{"all-experts": all, "capacity": capacity}
	forward, ok := forms[l.Way]
	if !ok {
		return nil, fmt.Errorf("way %q; want all-experts or capacity", l.Way)
	}
	most := lines.MaxLoad(l.Picks(), l.E)
	tensor := func(x []float32, dims ...int) any { return tensors.FromFlatDataAndDimensions(x, dims...) }
	return differentiated(be, func(x, router, gate, up, down *graph.Node) *graph.Node {
		p := graph.Softmax(graph.MatMul(x, router), -1)
		return forward(l, most, p, x, gate, up, down)
	}, tensor(l.X, l.T, l.D), tensor(l.Router, l.D, l.E), tensor(l.Gate, l.E, l.D, l.F), tensor(l.Up, l.E, l.D, l.F), tensor(l.Down, l.E, l.F, l.D), tensor(l.DY, l.T, l.D))
}

// form is a way to compute a layer from the probabilities p [T,E]; most is the largest load of an expert.
type form func(l *lines.Layer, most int, p, x, gate, up, down *graph.Node) *graph.Node

// differentiated is a graph of y and of the gradients of sum(y * dy).
func differentiated(be compute.Backend, forward func(x, router, gate, up, down *graph.Node) *graph.Node, in ...any) (lines.Step, error) {
	exec, err := graph.NewExec(be, func(v []*graph.Node) []*graph.Node {
		y := forward(v[0], v[1], v[2], v[3], v[4])
		return append(graph.Gradient(graph.ReduceAllSum(graph.Mul(y, v[5])), v[:5]...), y)
	})
	if err != nil {
		return nil, err
	}
	return caller(exec, []string{"dx", "drouter", "dgate", "dup", "ddown", "y"}, in...), nil
}

// swiglu is silu(h) * u.
func swiglu(h, u *graph.Node) *graph.Node { return graph.Mul(graph.Mul(h, graph.Sigmoid(h)), u) }

// all computes all experts for all rows and multiplies by weights that are 0 but for the K largest.
func all(l *lines.Layer, _ int, p, x, gate, up, down *graph.Node) *graph.Node {
	p = graph.Where(graph.TopKMask(p, l.K, -1), p, graph.ZerosLike(p))
	p = graph.Div(p, graph.ReduceAndKeep(p, graph.ReduceSum, -1))
	a := swiglu(graph.Einsum("td,edf->etf", x, gate), graph.Einsum("td,edf->etf", x, up))
	a = graph.Mul(a, graph.ExpandDims(graph.Transpose(p, 0, 1), -1))
	return graph.Einsum("etf,efd->td", a, down)
}
