package gorgonia_test

import (
	"testing"

	"artel/config"
	"artel/interop/gorgonia"
	"artel/moe"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// gates are the activations of experts.
var gates = []string{"swiglu", "relu", "gelu", "linear"}

// gated are the options of a mixture with the gate.
func gated(dt tensor.Dtype, gate string) gorgonia.Options {
	o := options(dt, "softmax_topk")
	o.Gate = gate
	return o
}

// slope is the derivative of f by *at, by central differences.
func slope(t *testing.T, at *float64, f func() float64) float64 {
	t.Helper()
	const step = 1e-6
	was := *at
	*at = was + step
	up := f()
	*at = was - step
	down := f()
	*at = was
	return (up - down) / (2 * step)
}

// TestGates: with every activation of the experts, cost and gradients are those of Artel's engine on the same weights, and every number of both gradients is a finite difference
// of the cost that the graph computes.
func TestGates(t *testing.T) {
	for _, gate := range gates {
		o := gated(tensor.Float64, gate)
		m := build(t, o)
		cost, dx, dw := m.tape(t)
		wantCost, wantX, wantW := own(t, o)
		near(t, gate+": cost", []float64{cost}, []float64{wantCost}, 1e-12)
		near(t, gate+": gradient of x beside the engine", dx, wantX, 1e-6)
		near(t, gate+": gradient of the weights beside the engine", dw, wantW, 1e-12)

		vm := G.NewTapeMachine(m.g)
		run := func() float64 {
			defer vm.Reset()
			if err := vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			return numbers(t, m.cost.Value())[0]
		}
		for what, part := range map[string]struct {
			at   []float64
			grad []float64
		}{
			"x":       {m.x.Value().Data().([]float64), dx},
			"weights": {m.layer.Weights.Value().Data().([]float64), dw},
		} {
			for i := range part.at {
				near(t, gate+": "+what, part.grad[i:i+1], []float64{slope(t, &part.at[i], run)}, 1e-6)
			}
		}
		vm.Close()
		cost, dx, dw = build(t, gated(tensor.Float32, gate)).tape(t)
		near(t, gate+": float32 cost", []float64{cost}, []float64{wantCost}, 2e-4)
		near(t, gate+": float32 gradient of x", dx, wantX, 2e-4)
		near(t, gate+": float32 gradient of the weights", dw, wantW, 2e-4)
	}
}

// TestAuxiliaryLoss: aux alone is a loss with a gradient for the router and the rows and none for the experts; the factor that a graph puts before it scales that gradient.
func TestAuxiliaryLoss(t *testing.T) {
	for _, factor := range []float64{1, -2.5} {
		o := options(tensor.Float64, "softmax_topk")
		g := G.NewGraph()
		x := G.NewMatrix(g, o.Type, G.WithShape(tokens, width), G.WithName("x"), G.WithValue(dense(o.Type, values(1, tokens*width), tokens, width)))
		layer, err := gorgonia.New(g, "moe", tokens, width, o)
		if err != nil {
			t.Fatal(err)
		}
		_, aux, err := layer.Apply(x)
		if err != nil {
			t.Fatal(err)
		}
		cost := G.Must(G.Mul(aux, G.NewConstant(factor)))
		grads, err := G.Grad(cost, x, layer.Weights)
		if err != nil {
			t.Fatal(err)
		}
		var dx, dw G.Value
		G.Read(grads[0], &dx)
		G.Read(grads[1], &dw)
		vm := G.NewTapeMachine(g)
		run := func() float64 {
			defer vm.Reset()
			if err := vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			return numbers(t, cost.Value())[0]
		}
		if run() == 0 {
			t.Fatal("no auxiliary loss")
		}
		gotX, gotW := numbers(t, dx), numbers(t, dw)
		xs, ws := x.Value().Data().([]float64), layer.Weights.Value().Data().([]float64)
		for i := range xs {
			near(t, "x", gotX[i:i+1], []float64{slope(t, &xs[i], run)}, 1e-6)
		}
		moved := 0.0
		for _, p := range layer.Parameters() {
			for i := p.Off; i < p.Off+p.Len(); i++ {
				near(t, p.Name, gotW[i:i+1], []float64{slope(t, &ws[i], run)}, 1e-6)
				if p.Group.Key.Kind.String() != "router" && gotW[i] != 0 {
					t.Fatalf("%s has a gradient of an auxiliary loss", p.Name)
				}
				moved = max(moved, gotW[i], -gotW[i])
			}
		}
		if moved < 1e-3 {
			t.Errorf("the largest gradient of the router is %v", moved)
		}
		vm.Close()
	}
}

// TestAllExperts: a layer that picks all of its experts is a dense mixture, which Gorgonia can say in its own operations; values and gradients agree.
func TestAllExperts(t *testing.T) {
	for _, gate := range []string{"swiglu", "relu", "linear"} {
		cfg := moe.Default()
		cfg.Experts, cfg.K, cfg.Hidden, cfg.Gate, cfg.Balance, cfg.ZLoss = 3, 3, 5, gate, 0, 0
		cfg.Router = config.Member{Name: "softmax_topk"}
		m := build(t, gorgonia.Options{Config: cfg, Type: tensor.Float64, Seed: 7})
		cost, dx, dw := m.tape(t)

		g := G.NewGraph()
		x := G.NewMatrix(g, tensor.Float64, G.WithShape(tokens, width), G.WithName("x"), G.WithValue(dense(tensor.Float64, values(1, tokens*width), tokens, width)))
		target := G.NewMatrix(g, tensor.Float64, G.WithShape(tokens, width), G.WithName("target"), G.WithValue(dense(tensor.Float64, values(2, tokens*width), tokens, width)))
		flat := numbers(t, m.layer.Weights.Value())
		nodes := map[string]*G.Node{}
		want := G.Nodes{x}
		for _, p := range m.layer.Parameters() {
			s := p.Shape()
			nodes[p.Name] = G.NewMatrix(g, tensor.Float64, G.WithShape(s...), G.WithName(p.Name), G.WithValue(dense(tensor.Float64, flat[p.Off:p.Off+p.Len()], s...)))
			want = append(want, nodes[p.Name])
		}
		probs := G.Must(G.SoftMax(G.Must(G.Mul(x, nodes["moe.router.weight"])), 1))
		var sum *G.Node
		for e, name := range []string{"moe.experts.0", "moe.experts.1", "moe.experts.2"} {
			h := G.Must(G.Mul(x, nodes[name+".up"]))
			switch gate {
			case "relu":
				h = G.Must(G.Rectify(h))
			case "swiglu":
				a, u := G.Must(G.Slice(h, nil, G.S(0, 5))), G.Must(G.Slice(h, nil, G.S(5, 10)))
				h = G.Must(G.HadamardProd(G.Must(G.HadamardProd(a, G.Must(G.Sigmoid(a)))), u))
			}
			y := G.Must(G.BroadcastHadamardProd(G.Must(G.Mul(h, nodes[name+".down"])), G.Must(G.Reshape(G.Must(G.Slice(probs, nil, G.S(e))), tensor.Shape{tokens, 1})), nil, []byte{1}))
			if sum == nil {
				sum = y
			} else {
				sum = G.Must(G.Add(sum, y))
			}
		}
		loss := G.Must(G.Mean(G.Must(G.Square(G.Must(G.Sub(sum, target))))))
		grads, err := G.Grad(loss, want...)
		if err != nil {
			t.Fatal(err)
		}
		read := make([]G.Value, len(grads))
		for i := range grads {
			G.Read(grads[i], &read[i])
		}
		vm := G.NewTapeMachine(g)
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		near(t, gate+": cost", []float64{cost}, numbers(t, loss.Value()), 1e-12)
		near(t, gate+": gradient of x", dx, numbers(t, read[0]), 1e-12)
		for i, p := range m.layer.Parameters() {
			near(t, gate+": gradient of "+p.Name, dw[p.Off:p.Off+p.Len()], numbers(t, read[i+1]), 1e-12)
		}
		vm.Close()
	}
}
