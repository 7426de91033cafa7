package gorgonia_test

import (
	"math"
	"strings"
	"testing"

	"artel/autograd"
	"artel/config"
	"artel/interop/gorgonia"
	"artel/kernels/ref"
	"artel/moe"
	"artel/param"
	"artel/rng"
	artel "artel/tensor"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

const tokens, width = 10, 6

func options(dt tensor.Dtype, router string) gorgonia.Options {
	cfg := moe.Default()
	cfg.Experts, cfg.K, cfg.Hidden, cfg.SharedHidden, cfg.Gate = 4, 2, 5, 3, "gelu"
	cfg.Router, cfg.Balance, cfg.ZLoss = config.Member{Name: router}, 0.3, 0.05
	return gorgonia.Options{Config: cfg, Type: dt, Seed: 4}
}

// model is a graph of a mixture and a quadratic loss.
type model struct {
	g       *G.ExprGraph
	x, cost *G.Node
	layer   *gorgonia.Layer
}

// values are n numbers from a seed.
func values(seed uint64, n int) []float64 {
	s := rng.New(seed)
	out := make([]float64, n)
	for i := range out {
		out[i] = s.Normal()
	}
	return out
}

func dense(dt tensor.Dtype, v []float64, shape ...int) tensor.Tensor {
	if dt == tensor.Float64 {
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(append([]float64(nil), v...)))
	}
	var f []float32
	for _, x := range v {
		f = append(f, float32(x))
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(f))
}

// build makes cost = mean((y - target)^2) + auxiliary losses.
func build(t *testing.T, o gorgonia.Options) *model {
	t.Helper()
	m := &model{g: G.NewGraph()}
	m.x = G.NewMatrix(m.g, o.Type, G.WithShape(tokens, width), G.WithName("x"), G.WithValue(dense(o.Type, values(1, tokens*width), tokens, width)))
	target := G.NewMatrix(m.g, o.Type, G.WithShape(tokens, width), G.WithName("target"), G.WithValue(dense(o.Type, values(2, tokens*width), tokens, width)))
	var err error
	if m.layer, err = gorgonia.New(m.g, "moe", tokens, width, o); err != nil {
		t.Fatal(err)
	}
	y, aux, err := m.layer.Apply(m.x)
	if err != nil {
		t.Fatal(err)
	}
	m.cost = G.Must(G.Add(G.Must(G.Mean(G.Must(G.Square(G.Must(G.Sub(y, target)))))), aux))
	return m
}

func numbers(t *testing.T, v G.Value) (out []float64) {
	t.Helper()
	switch s := v.Data().(type) {
	case float64:
		return []float64{s}
	case float32:
		return []float64{float64(s)}
	case []float64:
		return append(out, s...)
	case []float32:
		for _, x := range s {
			out = append(out, float64(x))
		}
		return out
	}
	t.Fatalf("a value of type %T", v.Data())
	return nil
}

// tape returns the cost and the gradients of x and the weights by a TapeMachine.
func (m *model) tape(t *testing.T) (cost float64, dx, dw []float64) {
	t.Helper()
	grads, err := G.Grad(m.cost, m.x, m.layer.Weights)
	if err != nil {
		t.Fatal(err)
	}
	var a, b G.Value
	G.Read(grads[0], &a)
	G.Read(grads[1], &b)
	vm := G.NewTapeMachine(m.g)
	defer vm.Close()
	for range 3 { // what one run leaves must not reach the next
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		cost, dx, dw = numbers(t, m.cost.Value())[0], numbers(t, a), numbers(t, b)
		vm.Reset()
	}
	return cost, dx, dw
}

// own computes the same with Artel alone: the weights by its backward pass, the rows by finite differences.
func own(t *testing.T, o gorgonia.Options) (cost float64, dx, dw []float64) {
	t.Helper()
	be := ref.New()
	b := param.NewBuilder()
	cfg := o.Config
	layer, err := moe.New(b, "moe", &cfg, width, 1, rng.New(o.Seed).Sub("noise"))
	if err != nil {
		t.Fatal(err)
	}
	set, err := b.Build(be, rng.New(o.Seed).Sub("parameters"))
	if err != nil {
		t.Fatal(err)
	}
	x := artel.FromF64(values(1, tokens*width), tokens, width)
	run := func() float64 {
		tape := autograd.NewTape(be, 1)
		tape.Begin(autograd.Plain, false)
		s := tape.NewSpace(tokens, []autograd.Block{{N: tokens}}, artel.Tensor{})
		y := layer.Forward(tape, tape.Input(x, s))
		autograd.Regression(tape, y, artel.FromF64(values(2, tokens*width), tokens, width), 1./(tokens*width), 0)
		if err := tape.Err(); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i := range tape.Losses() {
			sum += tape.LossAt(i).Value.F64()[0]
		}
		if dw == nil {
			k := param.NewPlain(be, set)
			if err := tape.Backward(k, nil); err != nil {
				t.Fatal(err)
			}
			k.Settle(be, artel.Tensor{}, artel.Tensor{}, false)
			dw = append(dw, k.Grad.F64()[:set.Flat.Len()]...)
		}
		return sum
	}
	cost = run()
	flat := x.F64()
	for i := range tokens * width {
		was := flat[i]
		flat[i] = was + 1e-6
		up := run()
		flat[i] = was - 1e-6
		dx = append(dx, (up-run())/2e-6)
		flat[i] = was
	}
	return cost, dx, dw
}

func near(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i := range want {
		if math.Abs(got[i]-want[i]) > tol*(1+math.Abs(want[i])) {
			t.Fatalf("%s[%d] = %v, want %v", what, i, got[i], want[i])
		}
	}
}

// TestGradients: the cost and its gradients in a graph are those of Artel's engine on the same weights, and of finite differences, in both types.
func TestGradients(t *testing.T) {
	for _, router := range []string{"softmax_topk", "topk_softmax"} {
		for _, dt := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
			o := options(dt, router)
			cost, dx, dw := build(t, o).tape(t)
			wantCost, wantX, wantW := own(t, o)
			tol := 1e-6
			if dt == tensor.Float32 {
				tol = 2e-4
			}
			near(t, router+": cost", []float64{cost}, []float64{wantCost}, tol)
			near(t, router+": gradient of x", dx, wantX, tol)
			near(t, router+": gradient of the weights", dw, wantW, tol)
		}
	}
}

// TestLispMachine gives the gradients of the TapeMachine.
func TestLispMachine(t *testing.T) {
	o := options(tensor.Float64, "softmax_topk")
	_, wantX, wantW := build(t, o).tape(t)
	m := build(t, o)
	vm := G.NewLispMachine(m.g, G.WithLogger(nil))
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	for what, n := range map[string]*G.Node{"x": m.x, "weights": m.layer.Weights} {
		g, err := n.Grad()
		if err != nil {
			t.Fatal(err)
		}
		want := wantX
		if what == "weights" {
			want = wantW
		}
		near(t, what, numbers(t, g), want, 1e-12)
	}
}

// TestTwoLayers: equal layers in one graph keep their own records.
func TestTwoLayers(t *testing.T) {
	o := options(tensor.Float64, "softmax_topk")
	g := G.NewGraph()
	x := G.NewMatrix(g, o.Type, G.WithShape(tokens, width), G.WithName("x"), G.WithValue(dense(o.Type, values(1, tokens*width), tokens, width)))
	var layers [2]*gorgonia.Layer
	h, cost := x, (*G.Node)(nil)
	for i := range layers {
		var err error
		if layers[i], err = gorgonia.New(g, "same", tokens, width, o); err != nil {
			t.Fatal(err)
		}
		var aux *G.Node
		if h, aux, err = layers[i].Apply(h); err != nil {
			t.Fatal(err)
		}
		if cost = aux; i > 0 {
			cost = G.Must(G.Add(G.Must(G.Mean(G.Must(G.Square(h)))), aux))
		}
	}
	grads, err := G.Grad(cost, layers[0].Weights, x)
	if err != nil {
		t.Fatal(err)
	}
	var dw, dx G.Value
	G.Read(grads[0], &dw)
	G.Read(grads[1], &dx)
	vm := G.NewTapeMachine(g)
	defer vm.Close()
	value := func() float64 {
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		defer vm.Reset()
		return numbers(t, cost.Value())[0]
	}
	value()
	gotW, gotX := numbers(t, dw), numbers(t, dx)
	w := layers[0].Weights.Value().Data().([]float64)
	p := layers[0].Parameters()[len(layers[0].Parameters())-1]
	for _, i := range []int{p.Off, p.Off + p.Len() - 1} {
		was := w[i]
		w[i] = was + 1e-6
		up := value()
		w[i] = was - 1e-6
		near(t, "weight of the first layer", gotW[i:i+1], []float64{(up - value()) / 2e-6}, 1e-6)
		w[i] = was
	}
	xs := x.Value().Data().([]float64)
	was := xs[7]
	xs[7] = was + 1e-6
	up := value()
	xs[7] = was - 1e-6
	near(t, "x", gotX[7:8], []float64{(up - value()) / 2e-6}, 1e-6)
}

// TestRefusals: mistakes are errors that name the layer and the option.
func TestRefusals(t *testing.T) {
	for want, edit := range map[string]func(o *gorgonia.Options){
		"int":                         func(o *gorgonia.Options) { o.Type = tensor.Int },
		`did you mean "softmax_topk"`: func(o *gorgonia.Options) { o.Router.Name = "softmx_topk" },
		"router task_aware needs":     func(o *gorgonia.Options) { o.Router.Name = "task_aware" },
		"k = 9 of 4 experts":          func(o *gorgonia.Options) { o.K = 9 },
		`did you mean "gelu"`:         func(o *gorgonia.Options) { o.Gate = "gleu" },
		"task_balance is counted by":  func(o *gorgonia.Options) { o.TaskBalance = 1 },
		"hidden: got 0, want":         func(o *gorgonia.Options) { o.Hidden = 0 },
		"z_loss: got -1, want":        func(o *gorgonia.Options) { o.ZLoss = -1 },
		"balance: ":                   func(o *gorgonia.Options) { o.Balance = math.NaN() },
		"k: got 0, want":              func(o *gorgonia.Options) { o.K = 0 },
		"rows of shape [0,6]":         nil,
	} {
		o, n := options(tensor.Float32, "softmax_topk"), tokens
		if edit == nil {
			n = 0
		} else {
			edit(&o)
		}
		if _, err := gorgonia.New(G.NewGraph(), "layer", n, width, o); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "layer") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	g := G.NewGraph()
	l, err := gorgonia.New(g, "layer", tokens, width, options(tensor.Float32, "softmax_topk"))
	if err != nil {
		t.Fatal(err)
	}
	bad := G.NewMatrix(g, tensor.Float32, G.WithShape(tokens, width+1), G.WithName("bad"))
	if _, _, err := l.Apply(bad); err == nil || !strings.Contains(err.Error(), "want (10, 6)") {
		t.Errorf("a wrong shape: %v", err)
	}
	other := G.NewMatrix(g, tensor.Float64, G.WithShape(tokens, width), G.WithName("other"))
	if _, _, err := l.Apply(other); err == nil || !strings.Contains(err.Error(), "want float32") {
		t.Errorf("a wrong type: %v", err)
	}
	good := G.NewMatrix(g, tensor.Float32, G.WithShape(tokens, width), G.WithName("good"))
	if _, _, err := l.Apply(good); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Apply(good); err == nil || !strings.Contains(err.Error(), "layer: applied twice") {
		t.Errorf("applied twice: %v", err)
	}
}
