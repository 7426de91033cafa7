// Command gorgonia is the worker of Gorgonia's matrix product, of a mixture layer made of Gorgonia's own operations, and of Artel's layer in a Gorgonia graph.
package main

import (
	"fmt"

	"artel/benchmarks/rivals/internal/lines"
	mixture "artel/interop/gorgonia"
	"artel/moe"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func main() {
	lines.Serve(lines.Engine{Product: product, Layer: layer})
}

func product(p *lines.Case, x, y []float32) (lines.Step, error) {
	g := G.NewGraph()
	c := G.Must(G.Mul(input(g, "a", x, p.M, p.Depth), input(g, "b", y, p.Depth, p.N)))
	return run(g, map[string]*G.Node{"c": c}), nil
}

func layer(l *lines.Layer) (lines.Step, error) {
	switch l.Way {
	case "all-experts":
		return plain(l)
	case "artel":
		return ours(l)
	}
	return nil, fmt.Errorf("way %q; want all-experts or artel", l.Way)
}

// input is a node with given numbers.
func input(g *G.ExprGraph, name string, x []float32, rows, cols int) *G.Node {
	v := tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(x))
	return G.NewMatrix(g, tensor.Float32, G.WithName(name), G.WithShape(rows, cols), G.WithValue(v))
}

// run returns a step of a TapeMachine. The values of the given nodes are the answers.
func run(g *G.ExprGraph, answers map[string]*G.Node) lines.Step {
	values := map[string]*G.Value{}
	for name, n := range answers {
		values[name] = new(G.Value)
		G.Read(n, values[name])
	}
	vm := G.NewTapeMachine(g)
	return func(want bool) (lines.Answers, error) {
		defer vm.Reset()
		if err := vm.RunAll(); err != nil || !want {
			return nil, err
		}
		out := lines.Answers{}
		for name, v := range values {
			out[name] = append([]float32(nil), (*v).Data().([]float32)...)
		}
		return out, nil
	}
}

// differentiate adds the gradients of sum(y * dy).
func differentiate(y, dy *G.Node, with ...*G.Node) (G.Nodes, error) {
	return G.Grad(G.Must(G.Sum(G.Must(G.HadamardProd(y, dy)))), with...)
}

// plain computes all experts for all rows. Gorgonia has no operation that picks the largest, so the picks are given, as a mask of ones and zeros [T,E].
func plain(l *lines.Layer) (lines.Step, error) {
	g := G.NewGraph()
	x, router, dy := input(g, "x", l.X, l.T, l.D), input(g, "router", l.Router, l.D, l.E), input(g, "dy", l.DY, l.T, l.D)
	mask := make([]float32, l.T*l.E)
	for i, e := range l.Picks() {
		mask[i/l.K*l.E+e] = 1
	}
	p := G.Must(G.HadamardProd(G.Must(G.SoftMax(G.Must(G.Mul(x, router)), 1)), input(g, "mask", mask, l.T, l.E)))
	total := G.Must(G.Reshape(G.Must(G.Sum(p, 1)), tensor.Shape{l.T, 1}))
	p = G.Must(G.BroadcastHadamardDiv(p, total, nil, []byte{1}))
	with := G.Nodes{x, router}
	var y *G.Node
	n := l.D * l.F
	for e := range l.E {
		suffix := fmt.Sprint(e)
		gate, up := input(g, "gate"+suffix, l.Gate[e*n:][:n], l.D, l.F), input(g, "up"+suffix, l.Up[e*n:][:n], l.D, l.F)
		down := input(g, "down"+suffix, l.Down[e*n:][:n], l.F, l.D)
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
	d, err := differentiate(y, dy, with...)
	if err != nil {
		return nil, err
	}
	nodes := map[string]*G.Node{"y": y, "dx": d[0], "drouter": d[1]}
	for i, node := range d[2:] {
		nodes[fmt.Sprint([]string{"dgate", "dup", "ddown"}[i%3], "/", i/3)] = node
	}
	step := run(g, nodes)
	return func(want bool) (lines.Answers, error) {
		got, err := step(want)
		if err != nil || !want {
			return nil, err
		}
		out := lines.Answers{"y": got["y"], "dx": got["dx"], "drouter": got["drouter"]}
		for _, name := range []string{"dgate", "dup", "ddown"} {
			for e := range l.E {
				out[name] = append(out[name], got[fmt.Sprint(name, "/", e)]...)
			}
		}
		return out, nil
	}, nil
}

// ours is Artel's sparse layer, with weights of its own: it is no rival, and is timed for what the graph costs.
func ours(l *lines.Layer) (lines.Step, error) {
	g := G.NewGraph()
	x, dy := input(g, "x", l.X, l.T, l.D), input(g, "dy", l.DY, l.T, l.D)
	cfg := moe.Default()
	cfg.Experts, cfg.K, cfg.Hidden, cfg.Balance, cfg.ZLoss = l.E, l.K, l.F, 0, 0
	m, err := mixture.New(g, "moe", l.T, l.D, mixture.Options{Config: cfg, Type: tensor.Float32, Seed: 1})
	if err != nil {
		return nil, err
	}
	y, _, err := m.Apply(x)
	if err != nil {
		return nil, err
	}
	if _, err := differentiate(y, dy, x, m.Weights); err != nil {
		return nil, err
	}
	return run(g, nil), nil
}
