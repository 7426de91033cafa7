// Command gorgonia times the matrix product and a mixture of experts made of Gorgonia's own operations, beside Artel's layer in the same kind of graph.
package main

import (
	"log"

	"artel/benchmarks/rivals/internal/lines"
	mixture "artel/interop/gorgonia"
	"artel/moe"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func main() {
	var cases []lines.Case
	for _, s := range lines.Shapes() {
		g := G.NewGraph()
		G.Must(G.Mul(input(g, "a", 1, s.M, s.K), input(g, "b", 1, s.K, s.N)))
		cases = append(cases, lines.Product("gorgonia", s, run(g)))
	}
	l := lines.LayerC()
	cases = append(cases, lines.Mixture("gorgonia", "own operations: all experts", l, plain(l)), lines.Mixture("gorgonia", "artel's layer", l, ours(l)))
	lines.Run(cases)
}

// input is a node with random numbers.
func input(g *G.ExprGraph, name string, scale float32, rows, cols int) *G.Node {
	v := tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(lines.Random(rows*cols, scale)))
	return G.NewMatrix(g, tensor.Float32, G.WithName(name), G.WithShape(rows, cols), G.WithValue(v))
}

// run returns a step of a TapeMachine.
func run(g *G.ExprGraph) func() error {
	vm := G.NewTapeMachine(g)
	return func() error {
		defer vm.Reset()
		return vm.RunAll()
	}
}

// differentiate adds the gradients of sum(y * dy).
func differentiate(y, dy *G.Node, with ...*G.Node) {
	if _, err := G.Grad(G.Must(G.Sum(G.Must(G.HadamardProd(y, dy)))), with...); err != nil {
		log.Fatal(err)
	}
}

// plain is a mixture of all experts weighted by a softmax: Gorgonia has no operation that picks the largest.
func plain(l lines.Layer) func() error {
	g := G.NewGraph()
	x, router, dy := input(g, "x", 1, l.T, l.D), input(g, "router", 0.05, l.D, l.E), input(g, "dy", 1, l.T, l.D)
	p := G.Must(G.SoftMax(G.Must(G.Mul(x, router)), 1))
	with := G.Nodes{x, router}
	var y *G.Node
	for e := range l.E {
		suffix := string(rune('0' + e))
		gate, up, down := input(g, "gate"+suffix, 0.1, l.D, l.F), input(g, "up"+suffix, 0.1, l.D, l.F), input(g, "down"+suffix, 0.1, l.F, l.D)
		h := G.Must(G.Mul(x, gate))
		a := G.Must(G.HadamardProd(G.Must(G.HadamardProd(h, G.Must(G.Sigmoid(h)))), G.Must(G.Mul(x, up))))
		w := G.Must(G.Reshape(G.Must(G.Slice(p, nil, G.S(e))), tensor.Shape{l.T, 1}))
		part := G.Must(G.BroadcastHadamardProd(G.Must(G.Mul(a, down)), w, nil, []byte{1}))
		if y == nil {
			y = part
		} else {
			y = G.Must(G.Add(y, part))
		}
		with = append(with, gate, up, down)
	}
	differentiate(y, dy, with...)
	return run(g)
}

// ours is Artel's sparse layer.
func ours(l lines.Layer) func() error {
	g := G.NewGraph()
	x, dy := input(g, "x", 1, l.T, l.D), input(g, "dy", 1, l.T, l.D)
	cfg := moe.Default()
	cfg.Experts, cfg.K, cfg.Hidden, cfg.Balance, cfg.ZLoss = l.E, l.K, l.F, 0, 0
	layer, err := mixture.New(g, "moe", l.T, l.D, mixture.Options{Config: cfg, Type: tensor.Float32, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	y, _, err := layer.Apply(x)
	if err != nil {
		log.Fatal(err)
	}
	differentiate(y, dy, x, layer.Weights)
	return run(g)
}
