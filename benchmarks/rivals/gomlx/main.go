// Command gomlx times the matrix product and a mixture of experts of GoMLX on its Go backend; build it with GOEXPERIMENT=simd for its vector code.
package main

import (
	"log"

	"artel/benchmarks/rivals/internal/lines"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

func main() {
	be, err := gobackend.New("")
	if err != nil {
		log.Fatal(err)
	}
	var cases []lines.Case
	for _, s := range lines.Shapes() {
		a, b := random(1, s.M, s.K), random(1, s.K, s.N)
		exec := graph.MustNewExec(be, func(a, b *graph.Node) *graph.Node { return graph.MatMul(a, b) })
		cases = append(cases, lines.Product("gomlx", s, func() error { return call(exec, a, b) }))
	}
	cases = append(cases, mixture(be, lines.LayerC()))
	lines.Run(cases)
}

// random makes a tensor of the given shape.
func random(scale float32, dims ...int) *tensors.Tensor {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return tensors.FromFlatDataAndDimensions(lines.Random(n, scale), dims...)
}

// call runs a graph and frees what it returns.
func call(exec *graph.Exec, in ...any) error {
	out, err := exec.Call(in...)
	if err != nil {
		return err
	}
	for _, t := range out {
		if err := t.FinalizeAll(); err != nil {
			return err
		}
	}
	return nil
}

// mixture computes all experts for all rows and multiplies by weights that are 0 but for the K largest: shapes are fixed when a graph is built, so that rows cannot be sorted by expert.
func mixture(be compute.Backend, l lines.Layer) lines.Case {
	in := []any{
		random(1, l.T, l.D), random(0.05, l.D, l.E), random(0.1, l.E, l.D, l.F), random(0.1, l.E, l.D, l.F), random(0.1, l.E, l.F, l.D), random(1, l.T, l.D),
	}
	exec := graph.MustNewExec(be, func(v []*graph.Node) []*graph.Node {
		x, router, gate, up, down, dy := v[0], v[1], v[2], v[3], v[4], v[5]
		p := graph.Softmax(graph.MatMul(x, router), -1)
		p = graph.Where(graph.TopKMask(p, l.K, -1), p, graph.ZerosLike(p))
		p = graph.Div(p, graph.ReduceAndKeep(p, graph.ReduceSum, -1))
		h := graph.Einsum("td,edf->etf", x, gate)
		a := graph.Mul(graph.Mul(h, graph.Sigmoid(h)), graph.Einsum("td,edf->etf", x, up))
		a = graph.Mul(a, graph.ExpandDims(graph.Transpose(p, 0, 1), -1))
		y := graph.Einsum("etf,efd->td", a, down)
		return append(graph.Gradient(graph.ReduceAllSum(graph.Mul(y, dy)), x, router, gate, up, down), y)
	})
	return lines.Mixture("gomlx", "all experts, masked", l, func() error { return call(exec, in...) })
}
