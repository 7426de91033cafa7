package main_test

import (
	"math"
	"os"
	"strings"
	"testing"

	"artel/autograd"
	"artel/config"
	"artel/data"
	"artel/engine"
	"artel/examples/recipes/loss"
	"artel/gradsurgery"
	"artel/internal/tapetest"
	"artel/kernels/ref"
	"artel/moe"
	"artel/nn"
	"artel/param"
	"artel/rng"
	"artel/tensor"

	_ "artel/examples/recipes/optimizer"
	_ "artel/examples/recipes/router"
	_ "artel/examples/recipes/surgery"
)

// TestText checks that CONTRIBUTING.md shows the recipes as they are compiled here.
func TestText(t *testing.T) {
	text, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"router/router.go", "surgery/surgery.go", "optimizer/optimizer.go", "loss/loss.go"} {
		code, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "```go\n"+string(code)+"```\n") {
			t.Errorf("CONTRIBUTING.md does not show examples/recipes/%s as it is", name)
		}
		if n := strings.Count(string(code), "\n"); n > 60 {
			t.Errorf("examples/recipes/%s has %d lines; a recipe fits in 60", name, n)
		}
	}
}

// small is a model that trains in milliseconds.
const small = `
batch: 32
steps: 100
model:
  width: 16
  dropout: 0
  blocks:
    - moe: {experts: 4, k: 2, hidden: 16, gate: swiglu, router: softmax_topk, balance: 0.01, z_loss: 0.001, aux_path: with-task}
`

func newEngine(t *testing.T, args ...string) *engine.Engine {
	t.Helper()
	cfg := engine.Default()
	if _, err := config.Decode(&cfg, config.File("small.yaml", []byte(small)), config.Args(args)); err != nil {
		t.Fatal(err)
	}
	be, _, err := engine.OpenDevice("cpu", "")
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(&cfg, be)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// TestTrain checks that a model learns with each recipe, chosen and set as a user does: placement is easy, and far above a guess after a hundred steps.
func TestTrain(t *testing.T) {
	for _, args := range [][]string{
		{"model.blocks.0.moe.router={name: example_sigmoid_topk, init: 0.1}"},
		{"surgery.method=example_equal_length"},
		{"optimizer.rule={name: example_signum, beta: 0.8}"},
		{"tasks.left.loss={name: example_capped_cross_entropy, cap: 5}", "tasks.placement.loss=example_capped_cross_entropy"},
	} {
		t.Run(args[0], func(t *testing.T) {
			e := newEngine(t, append(args, "data.domains.0.source.test_rows=1000", "optimizer.lr=5e-3")...)
			for range 100 {
				if err := e.Step(); err != nil {
					t.Fatal(err)
				}
			}
			m, err := e.Evaluate(data.Test)
			if err != nil {
				t.Fatal(err)
			}
			if got := m["placement"]["accuracy"]; got < 0.4 {
				t.Errorf("placement: accuracy %.3f, want 0.4 (a guess has 0.25)", got)
			}
		})
	}
}

// TestRouter checks the router's gradients, task by task.
func TestRouter(t *testing.T) {
	tapetest.Run(t, ref.New(), tapetest.Case{Name: "example_sigmoid_topk", Smooth: true, Aux: true, Declare: func(b *param.Builder, tasks int) (tapetest.Layer, int) {
		cfg := moe.Config{
			Experts: 4, K: 2, Hidden: 5, Gate: "swiglu", AuxPath: "with-task", Balance: 0.1, ZLoss: 0.05,
			Router: config.Member{Name: "example_sigmoid_topk"},
		}
		l, err := moe.New(b, "layer", &cfg, tapetest.Width, tasks, rng.New(1))
		if err != nil {
			t.Fatal(err)
		}
		return l.Forward, tapetest.Width
	}})
}

// TestSurgery checks the weights on gradients of lengths 1, 2, 0 and 4.
func TestSurgery(t *testing.T) {
	s, err := gradsurgery.New("example_equal_length", nil, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	gram := []float64{
		1, -1, 0, 2,
		-1, 4, 0, 0,
		0, 0, 0, 0,
		2, 0, 0, 16,
	}
	w := make([]float64, 4)
	if err := s.Weights(&gradsurgery.Input{Tasks: []int{0, 1, 2, 3}, Losses: w, Gram: gram}, w); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{16. / 7, 8. / 7, 0, 4. / 7} {
		if math.Abs(w[i]-want) > 1e-15 {
			t.Errorf("weight %d: %v, want %v", i, w[i], want)
		}
	}
}

// TestOptimizer checks that the first step moves every parameter by the learning rate.
func TestOptimizer(t *testing.T) {
	const rate = 1. / 128
	e := newEngine(t, "optimizer.rule=example_signum", "optimizer.lr=0.0078125", "optimizer.warmup=0", "optimizer.schedule=constant", "optimizer.weight_decay=0")
	before := append([]float32(nil), e.Set.Flat.F32()...)
	if err := e.Step(); err != nil {
		t.Fatal(err)
	}
	moved := 0
	for i, v := range e.Set.Flat.F32() {
		switch d := math.Abs(float64(v - before[i])); {
		case math.Abs(d-rate) < 1e-6:
			moved++
		case d != 0:
			t.Fatalf("element %d moved by %v, want %v or nothing", i, d, rate)
		}
	}
	if moved < e.Set.Count()*9/10 {
		t.Errorf("%d of %d parameters moved", moved, e.Set.Count())
	}
}

// TestLoss checks the loss of one row against its formula.
func TestLoss(t *testing.T) {
	choice := config.With("example_capped_cross_entropy", &loss.Options{Cap: 2})
	l, _, err := nn.BuildLoss(&choice)
	if err != nil {
		t.Fatal(err)
	}
	tape := autograd.NewTape(ref.New(), 1)
	tape.Begin(autograd.Plain, false)
	x := tape.Input(tensor.FromF64([]float64{3, -1, 0.5}, 1, 3), tape.NewSpace(1, []autograd.Block{{N: 1}}, tensor.Tensor{}))
	l.Record(tape, x, tensor.FromI32([]int32{2}, 1), 1)
	if err := tape.Err(); err != nil {
		t.Fatal(err)
	}
	capped := func(x float64) float64 { return 2 * math.Tanh(x/2) }
	want := math.Log(math.Exp(capped(3))+math.Exp(capped(-1))+math.Exp(capped(0.5))) - capped(0.5)
	if got := tape.LossAt(0).Value.F64()[0]; math.Abs(got-want) > 1e-12 {
		t.Errorf("loss %v, want %v", got, want)
	}
}
