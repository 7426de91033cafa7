package nn_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"artel/autograd"
	"artel/config"
	"artel/dtype"
	"artel/internal/tol"
	"artel/kernels"
	"artel/kernels/ref"
	"artel/nn"
	"artel/param"
	"artel/rng"
	"artel/tensor"
)

// golden is a case of kernels/ref/testdata/layers.json: outputs and gradients of sum(cotangent*output) by torch.
type golden struct {
	Op        string                     `json:"op"`
	Options   map[string]json.RawMessage `json:"options"`
	Inputs    map[string]json.RawMessage `json:"inputs"`
	Output    json.RawMessage            `json:"output"`
	Cotangent json.RawMessage            `json:"cotangent"`
	Grads     map[string]json.RawMessage `json:"grads"`
}

// flat reads nested lists of numbers with their shape.
func flat(t *testing.T, raw json.RawMessage) (v []float64, shape []int) {
	t.Helper()
	var x float64
	if json.Unmarshal(raw, &x) == nil {
		return []float64{x}, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	for i, l := range list {
		part, s := flat(t, l)
		if i == 0 {
			shape = append([]int{len(list)}, s...)
		}
		v = append(v, part...)
	}
	return v, shape
}

// transposed turns torch's [out,in] into [in,out], or back.
func transposed(v []float64, rows, cols int) []float64 {
	out := make([]float64, len(v))
	for i := 0; i < rows; i++ {
		for j := 0; j < cols; j++ {
			out[j*rows+i] = v[i*cols+j]
		}
	}
	return out
}

// bench runs one layer in float64: x is a parameter behind an identity input, so that its gradient is one too.
type bench struct {
	t    *testing.T
	b    *param.Builder
	x    *param.Param
	fill map[string][]float64
}

var key = param.Key{Kind: param.Shared, Layer: "layer"}

func newBench(t *testing.T, x []float64, rows, cols int) *bench {
	k := &bench{t: t, b: param.NewBuilder(), fill: map[string][]float64{"x": x}}
	k.x = k.b.Add(key, "x", false, nn.Zeros, rows, cols)
	return k
}

// run computes layer(x), checks it, and returns the gradients by parameter for the given cotangent.
func (k *bench) run(layer func(*autograd.Tape, *autograd.Var) *autograd.Var, want, cotangent []float64) map[string][]float64 {
	k.t.Helper()
	be := ref.New()
	set, err := k.b.Build(be, rng.New(1))
	if err != nil {
		k.t.Fatal(err)
	}
	for name, v := range k.fill {
		copy(set.Lookup(name).Value.F64(), v)
	}
	rows := k.x.Shape()[0]
	eye := tensor.New(dtype.F64, rows, rows)
	for i := 0; i < rows; i++ {
		eye.F64()[i*rows+i] = 1
	}
	tape := autograd.NewTape(be, 1)
	tape.Begin(autograd.Plain, false)
	s := tape.NewSpace(rows, []autograd.Block{{Task: 0, N: rows}}, tensor.Tensor{})
	y := layer(tape, autograd.Linear(tape, tape.Input(eye, s), k.x, nil))
	if err := tape.Err(); err != nil {
		k.t.Fatal(err)
	}
	tol.Check(k.t, "output", dtype.F64, 200, y.Value.F64(), want)
	// The squared error against y - cotangent/2 has the cotangent as its gradient.
	target := tensor.New(dtype.F64, y.Rows(), y.Cols())
	for i, c := range cotangent {
		target.F64()[i] = y.Value.F64()[i] - c/2
	}
	view, _ := autograd.TaskView(tape, y, 0)
	autograd.Regression(tape, view, target, 1, 0)
	sink := param.NewPlain(be, set)
	if err := tape.Backward(sink, nil); err != nil {
		k.t.Fatal(err)
	}
	out := map[string][]float64{}
	sink.Settle(be, tensor.Tensor{}, tensor.Tensor{}, false)
	for _, p := range set.Params {
		out[p.Name] = sink.Grad.F64()[p.Off : p.Off+p.Len()]
	}
	return out
}

// option reads a number.
func (g *golden) option(t *testing.T, name string) float64 {
	t.Helper()
	v, _ := flat(t, g.Options[name])
	return v[0]
}

// TestGoldenLayers compares the layers with torch: outputs and gradients.
func TestGoldenLayers(t *testing.T) {
	raw, err := os.ReadFile("../kernels/ref/testdata/layers.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []golden }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	ran := map[string]int{}
	for i := range file.Cases {
		g := &file.Cases[i]
		if f := layers[g.Op]; f != nil {
			t.Run(fmt.Sprintf("%d %s", i, g.Op), func(t *testing.T) { f(t, g) })
			ran[g.Op]++
		}
	}
	for op := range layers {
		if ran[op] == 0 {
			t.Errorf("no golden case of %s", op)
		}
	}
}

// layers runs a golden case by its op.
var layers = map[string]func(*testing.T, *golden){
	"linear": func(t *testing.T, g *golden) {
		x, xs := flat(t, g.Inputs["x"])
		w, ws := flat(t, g.Inputs["weight"])
		bias, _ := flat(t, g.Inputs["bias"])
		k := newBench(t, x, xs[0], xs[1])
		l := nn.NewLinear(k.b, key, "l", ws[1], ws[0], true, nn.Zeros)
		k.fill["l.weight"], k.fill["l.bias"] = transposed(w, ws[0], ws[1]), bias
		grads := g.check(t, k, l.Forward)
		dw, _ := flat(t, g.Grads["weight"])
		db, _ := flat(t, g.Grads["bias"])
		tol.Check(t, "weight", dtype.F64, 50, grads["l.weight"], transposed(dw, ws[0], ws[1]))
		tol.Check(t, "bias", dtype.F64, 50, grads["l.bias"], db)
	},
	"rmsnorm": func(t *testing.T, g *golden) {
		x, xs := flat(t, g.Inputs["x"])
		k := newBench(t, x, xs[0], xs[1])
		l := nn.NewRMSNorm(k.b, key, "n", xs[1])
		l.Eps = g.option(t, "eps")
		k.fill["n.weight"], _ = flat(t, g.Inputs["weight"])
		grads := g.check(t, k, l.Forward)
		dw, _ := flat(t, g.Grads["weight"])
		tol.Check(t, "weight", dtype.F64, 50, grads["n.weight"], dw)
	},
	"layernorm": func(t *testing.T, g *golden) {
		x, xs := flat(t, g.Inputs["x"])
		k := newBench(t, x, xs[0], xs[1])
		l := nn.NewLayerNorm(k.b, key, "n", xs[1])
		l.Eps = g.option(t, "eps")
		k.fill["n.weight"], _ = flat(t, g.Inputs["weight"])
		k.fill["n.bias"], _ = flat(t, g.Inputs["bias"])
		grads := g.check(t, k, l.Forward)
		dw, _ := flat(t, g.Grads["weight"])
		db, _ := flat(t, g.Grads["bias"])
		tol.Check(t, "weight", dtype.F64, 50, grads["n.weight"], dw)
		tol.Check(t, "bias", dtype.F64, 50, grads["n.bias"], db)
	},
	"swiglu": func(t *testing.T, g *golden) {
		x, xs := flat(t, g.Inputs["x"])
		gate, s := flat(t, g.Inputs["w_gate"])
		up, _ := flat(t, g.Inputs["w_up"])
		down, _ := flat(t, g.Inputs["w_down"])
		f, d := s[0], s[1]
		k := newBench(t, x, xs[0], xs[1])
		l := nn.NewMLP(k.b, key, "m", d, f, kernels.SwiGLU)
		join := func(gate, up []float64) []float64 { // [d, gate | up]
			out := make([]float64, 0, 2*d*f)
			for i := 0; i < d; i++ {
				for _, w := range [][]float64{gate, up} {
					for j := 0; j < f; j++ {
						out = append(out, w[j*d+i])
					}
				}
			}
			return out
		}
		k.fill["m.up"], k.fill["m.down"] = join(gate, up), transposed(down, d, f)
		grads := g.check(t, k, l.Forward)
		dg, _ := flat(t, g.Grads["w_gate"])
		du, _ := flat(t, g.Grads["w_up"])
		dd, _ := flat(t, g.Grads["w_down"])
		tol.Check(t, "up", dtype.F64, 2000, grads["m.up"], join(dg, du))
		tol.Check(t, "down", dtype.F64, 2000, grads["m.down"], transposed(dd, d, f))
	},
	"relu":    activation(kernels.ReLU),
	"silu":    activation(kernels.SiLU),
	"sigmoid": activation(kernels.Sigmoid),
	"tanh":    activation(kernels.Tanh),
	"softmax": func(t *testing.T, g *golden) {
		x, xs := flat(t, g.Inputs["x"])
		g.check(t, newBench(t, x, xs[0], xs[1]), autograd.Softmax)
	},
	"cross_entropy":   lossCase("cross_entropy", "logits"),
	"bce_with_logits": lossCase("bce", "x"),
	"mse":             lossCase("mse", "x"),
	"huber":           lossCase("huber", "x"),
}

func activation(f kernels.Unary) func(*testing.T, *golden) {
	return func(t *testing.T, g *golden) {
		x, xs := flat(t, g.Inputs["x"])
		g.check(t, newBench(t, x, xs[0], xs[1]), func(t *autograd.Tape, x *autograd.Var) *autograd.Var { return autograd.Map(t, f, x) })
	}
}

// check runs a layer and compares output and the gradient of x; it returns the other gradients.
func (g *golden) check(t *testing.T, k *bench, layer func(*autograd.Tape, *autograd.Var) *autograd.Var) map[string][]float64 {
	t.Helper()
	want, _ := flat(t, g.Output)
	cot, _ := flat(t, g.Cotangent)
	grads := k.run(layer, want, cot)
	dx, _ := flat(t, g.Grads["x"])
	tol.Check(t, "x", dtype.F64, 100, grads["x"], dx)
	return grads
}

// lossCase compares a registered loss with a mean or sum of torch.
func lossCase(name, input string) func(*testing.T, *golden) {
	return func(t *testing.T, g *golden) {
		var reduction string
		json.Unmarshal(g.Options["reduction"], &reduction)
		if reduction != "mean" && reduction != "sum" || g.Inputs["pos_weight"] != nil {
			t.Skip("a reduction or weight that the loss does not offer")
		}
		x, xs := flat(t, g.Inputs[input])
		y, _ := flat(t, g.Inputs["target"])
		m := config.Member{Name: name}
		switch name {
		case "cross_entropy":
			m = config.With(name, &nn.CrossEntropyConfig{Smoothing: g.option(t, "label_smoothing")})
		case "huber":
			m = config.With(name, &nn.HuberConfig{Delta: g.option(t, "delta")})
		}
		loss, entry, err := nn.BuildLoss(&m)
		if err != nil {
			t.Fatal(err)
		}
		be := ref.New()
		b := param.NewBuilder()
		p := b.Add(key, "x", false, nn.Zeros, xs[0], xs[1])
		set, err := b.Build(be, rng.New(1))
		if err != nil {
			t.Fatal(err)
		}
		copy(p.Value.F64(), x)
		eye := tensor.New(dtype.F64, xs[0], xs[0])
		for i := 0; i < xs[0]; i++ {
			eye.F64()[i*xs[0]+i] = 1
		}
		var target tensor.Tensor
		n := float64(len(y))
		if !entry.Classes {
			target = tensor.FromF64(y, xs...)
		} else {
			labels := make([]int32, len(y))
			n = 0
			for i, v := range y {
				if labels[i] = int32(v); v >= 0 {
					n++
				}
			}
			target = tensor.FromI32(labels, len(labels))
		}
		scale := 1.0
		if reduction == "mean" {
			scale = 1 / n
		}
		cot, _ := flat(t, g.Cotangent)
		tape := autograd.NewTape(be, 1)
		tape.Begin(autograd.Plain, false)
		s := tape.NewSpace(xs[0], []autograd.Block{{Task: 0, N: xs[0]}}, tensor.Tensor{})
		view, _ := autograd.TaskView(tape, autograd.Linear(tape, tape.Input(eye, s), p, nil), 0)
		loss.Record(tape, view, target, scale*cot[0])
		sink := param.NewPlain(be, set)
		if err := tape.Backward(sink, nil); err != nil {
			t.Fatal(err)
		}
		want, _ := flat(t, g.Output)
		tol.Check(t, "loss", dtype.F64, 100, []float64{tape.LossAt(0).Value.F64()[0] / cot[0]}, want)
		dx, _ := flat(t, g.Grads[input])
		tol.Check(t, "gradient", dtype.F64, 100, sink.Grad.F64()[:len(dx)], dx)
	}
}
