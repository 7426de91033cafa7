// Command gorgonia trains a classifier of garments whose graph is Gorgonia's and whose mixture of experts is Artel's: a linear layer, a residual mixture, a linear
// layer, softmax, Adam. The images are embedded.
//
//	go run ./examples/gorgonia [-steps 600]
package main

import (
	"flag"
	"fmt"
	"log"

	"artel/data/fashion"
	"artel/interop/gorgonia"
	"artel/moe"
	"artel/rng"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

const (
	batch   = 100
	pixels  = fashion.Side * fashion.Side
	width   = 64
	classes = 10
)

func main() {
	steps := flag.Int("steps", 600, "optimizer steps")
	flag.Parse()
	accuracy, err := train(*steps, func(step int, loss float64) { fmt.Printf("step %4d  loss %.3f\n", step, loss) })
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("test accuracy %.1f %%\n", 100*accuracy)
}

// model is the graph of a batch.
type model struct {
	x, label, logits, loss *G.Node
	learn                  G.Nodes
}

func newModel() (*model, error) {
	g := G.NewGraph()
	m := &model{
		x:     G.NewMatrix(g, tensor.Float32, G.WithShape(batch, pixels), G.WithName("x")),
		label: G.NewMatrix(g, tensor.Float32, G.WithShape(batch, classes), G.WithName("label")),
	}
	in := G.NewMatrix(g, tensor.Float32, G.WithShape(pixels, width), G.WithName("in"), G.WithInit(G.GlorotN(1)))
	out := G.NewMatrix(g, tensor.Float32, G.WithShape(width, classes), G.WithName("out"), G.WithInit(G.GlorotN(1)))
	cfg := moe.Default()
	cfg.Experts, cfg.Hidden = 8, 64
	layer, err := gorgonia.New(g, "mixture", batch, width, gorgonia.Options{Config: cfg, Type: tensor.Float32, Seed: 1})
	if err != nil {
		return nil, err
	}
	h, err := G.Mul(m.x, in)
	if err != nil {
		return nil, err
	}
	y, aux, err := layer.Apply(h)
	if err != nil {
		return nil, err
	}
	if m.logits, err = G.Mul(G.Must(G.Add(h, y)), out); err != nil {
		return nil, err
	}
	p := G.Must(G.SoftMax(m.logits, 1))
	small := G.NewConstant(float32(1e-9))
	picked := G.Must(G.HadamardProd(m.label, G.Must(G.Log(G.Must(G.Add(p, small))))))
	entropy := G.Must(G.Neg(G.Must(G.Mean(G.Must(G.Sum(picked, 1))))))
	m.loss = G.Must(G.Add(entropy, aux))
	m.learn = G.Nodes{in, out, layer.Weights}
	_, err = G.Grad(m.loss, m.learn...)
	return m, err
}

// fill puts examples into the graph's inputs.
func (m *model) fill(set *fashion.Images, at func(i int) int) error {
	x, label := make([]float32, batch*pixels), make([]float32, batch*classes)
	for i := range batch {
		k := at(i)
		for j, v := range set.Image(k) {
			x[i*pixels+j] = float32(v) / fashion.Level
		}
		label[i*classes+int(set.Labels[k])] = 1
	}
	if err := G.Let(m.x, tensor.New(tensor.WithShape(batch, pixels), tensor.WithBacking(x))); err != nil {
		return err
	}
	return G.Let(m.label, tensor.New(tensor.WithShape(batch, classes), tensor.WithBacking(label)))
}

// train returns the accuracy on the test images.
func train(steps int, report func(step int, loss float64)) (float64, error) {
	learn, test, err := fashion.Load()
	if err != nil {
		return 0, err
	}
	m, err := newModel()
	if err != nil {
		return 0, err
	}
	vm := G.NewTapeMachine(m.x.Graph(), G.BindDualValues(m.learn...))
	defer vm.Close()
	solver := G.NewAdamSolver(G.WithLearnRate(2e-3))
	draw := rng.New(1)
	for step := 1; step <= steps; step++ {
		if err := m.fill(learn, func(int) int { return draw.Intn(fashion.Train) }); err != nil {
			return 0, err
		}
		if err := vm.RunAll(); err != nil {
			return 0, err
		}
		if step%100 == 0 {
			report(step, float64(m.loss.Value().Data().(float32)))
		}
		if err := solver.Step(G.NodesToValueGrads(m.learn)); err != nil {
			return 0, err
		}
		vm.Reset()
	}
	right := 0
	for first := 0; first < fashion.Test; first += batch {
		if err := m.fill(test, func(i int) int { return first + i }); err != nil {
			return 0, err
		}
		if err := vm.RunAll(); err != nil {
			return 0, err
		}
		logits := m.logits.Value().Data().([]float32)
		for i := range batch {
			best := 0
			for c, v := range logits[i*classes : (i+1)*classes] {
				if v > logits[i*classes+best] {
					best = c
				}
			}
			if best == int(test.Labels[first+i]) {
				right++
			}
		}
		vm.Reset()
	}
	return float64(right) / fashion.Test, nil
}
