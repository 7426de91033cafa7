package main

import (
	"artel/benchmarks/rivals/internal/lines"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// capacity gives every expert a fixed number of rows, the largest load: rows are gathered to [E,most,D], go through batched products and are gathered back.
// Graphs have fixed shapes, so this is the sparse form that they allow; slots of emptier experts are computed in vain.
func capacity(l *lines.Layer, most int, p, x, gate, up, down *graph.Node) *graph.Node {
	g, n := x.Graph(), l.T*l.K
	_, picks := graph.TopK(graph.StopGradient(p), l.K, -1) // sorting has no gradient, so the weights are read by place
	w := graph.ReduceSum(graph.Mul(graph.OneHot(picks, l.E, p.DType()), graph.ExpandDims(p, 1)), -1)
	w = graph.Div(w, graph.ReduceAndKeep(w, graph.ReduceSum, -1))
	// The picks sorted by expert: how many of the same expert stand before each gives its slot.
	order := graph.SortFunc(byExpert(g), 0, true, graph.Reshape(picks, n), graph.Iota(g, shapes.Make(dtypes.Int32, n), 0))
	expert, pick := order[0], order[1]
	count := graph.ReduceSum(graph.OneHot(graph.Reshape(picks, n), l.E, dtypes.Int32), 0)
	before := graph.Sub(graph.CumSum(count, 0), count)
	place := graph.Sub(graph.Iota(g, shapes.Make(dtypes.Int32, n), 0), graph.Reshape(graph.Gather(graph.Reshape(before, l.E, 1), graph.Reshape(expert, n, 1)), n))
	slot := graph.Reshape(graph.Add(graph.MulScalar(expert, most), place), n, 1)
	token := graph.Reshape(graph.Div(pick, graph.Const(g, int32(l.K))), n, 1)

	rows := graph.Scatter(slot, graph.Gather(x, token), shapes.Make(x.DType(), l.E*most, l.D), false, true)
	rows = graph.Reshape(rows, l.E, most, l.D)
	a := swiglu(graph.Einsum("etd,edf->etf", rows, gate), graph.Einsum("etd,edf->etf", rows, up))
	y := graph.Reshape(graph.Einsum("etf,efd->etd", a, down), l.E*most, l.D)
	weight := graph.Gather(graph.Reshape(w, n, 1), graph.Reshape(pick, n, 1))
	return graph.Scatter(token, graph.Mul(graph.Gather(y, slot), weight), shapes.Make(x.DType(), l.T, l.D), false, false)
}

// byExpert compares pairs (expert, pick) by expert.
func byExpert(g *graph.Graph) *graph.Function {
	return graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		a, b := graph.Parameter(g, "a", shapes.Make(dtypes.Int32)), graph.Parameter(g, "b", shapes.Make(dtypes.Int32))
		graph.Parameter(g, "i", shapes.Make(dtypes.Int32))
		graph.Parameter(g, "j", shapes.Make(dtypes.Int32))
		return []*graph.Node{graph.LessThan(a, b)}
	})
}
