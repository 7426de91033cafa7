package gorgonia_test

import (
	"fmt"
	"log"

	"artel/interop/gorgonia"
	"artel/moe"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// A mixture of eight experts in a graph, trained by Gorgonia's Adam to reproduce its own input.
func Example() {
	const tokens, width = 32, 8
	g := G.NewGraph()
	x := G.NewMatrix(g, tensor.Float32, G.WithShape(tokens, width), G.WithName("x"), G.WithInit(G.GlorotN(1)))
	cfg := moe.Default()
	cfg.Hidden = 16
	layer, err := gorgonia.New(g, "mixture", tokens, width, gorgonia.Options{Config: cfg, Type: tensor.Float32, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	y, aux, err := layer.Apply(x)
	if err != nil {
		log.Fatal(err)
	}
	mse := G.Must(G.Mean(G.Must(G.Square(G.Must(G.Sub(y, x))))))
	if _, err := G.Grad(G.Must(G.Add(mse, aux)), layer.Weights); err != nil {
		log.Fatal(err)
	}
	vm := G.NewTapeMachine(g, G.BindDualValues(layer.Weights))
	defer vm.Close()
	solver := G.NewAdamSolver(G.WithLearnRate(0.01))
	var first, last float32
	for step := range 200 {
		if err := vm.RunAll(); err != nil {
			log.Fatal(err)
		}
		last = mse.Value().Data().(float32)
		if step == 0 {
			first = last
		}
		if err := solver.Step(G.NodesToValueGrads(G.Nodes{layer.Weights})); err != nil {
			log.Fatal(err)
		}
		vm.Reset()
	}
	fmt.Println(len(layer.Parameters()), "parameters; the error fell tenfold:", last < first/10)
	// Output: 17 parameters; the error fell tenfold: true
}
