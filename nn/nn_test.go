package nn_test

import (
	"math"
	"strings"
	"testing"

	"artel/autograd"
	"artel/dtype"
	"artel/internal/tapetest"
	"artel/internal/tol"
	"artel/kernels"
	"artel/kernels/cpu"
	"artel/kernels/ref"
	"artel/nn"
	"artel/param"
	"artel/rng"
	"artel/tensor"
)

const w = tapetest.Width

// TestTaskGradients checks every layer on every kind of rows, on both backends.
func TestTaskGradients(t *testing.T) {
	declare := func(f func(b *param.Builder) (tapetest.Layer, int)) func(*param.Builder, int) (tapetest.Layer, int) {
		return func(b *param.Builder, _ int) (tapetest.Layer, int) { return f(b) }
	}
	cases := []tapetest.Case{
		{Name: "linear", Smooth: true, Declare: declare(func(b *param.Builder) (tapetest.Layer, int) {
			return nn.NewLinear(b, key, "l", w, 5, true, nn.XavierUniform(w, 5)).Forward, 5
		})},
		{Name: "rmsnorm", Smooth: true, Declare: declare(func(b *param.Builder) (tapetest.Layer, int) {
			return nn.NewRMSNorm(b, key, "n", w).Forward, w
		})},
		{Name: "layernorm", Smooth: true, Declare: declare(func(b *param.Builder) (tapetest.Layer, int) {
			return nn.NewLayerNorm(b, key, "n", w).Forward, w
		})},
		{Name: "dropout", Smooth: true, Declare: declare(func(*param.Builder) (tapetest.Layer, int) {
			return nn.NewDropout("d", 0.3, rng.New(1)).Forward, w
		})},
		{Name: "embedding", Smooth: true, Declare: declare(func(b *param.Builder) (tapetest.Layer, int) {
			e := nn.NewEmbeddingBag(b, key, "e", 5, w, true)
			return func(t *autograd.Tape, x *autograd.Var) *autograd.Var {
				ids := t.NewI32(x.Rows())
				for i := range ids.I32() {
					ids.I32()[i] = int32(i * 3 % 5)
				}
				return autograd.Add(t, x, e.Forward(t, ids, tensor.Tensor{}, x.Space))
			}, w
		})},
		{Name: "align", Smooth: true, Owned: true, Declare: func(b *param.Builder, tasks int) (tapetest.Layer, int) {
			return nn.NewAlign(b, "a", tasks, w).Forward, w
		}},
		{Name: "patches", Declare: declare(func(b *param.Builder) (tapetest.Layer, int) {
			p, err := nn.NewPatches(b, key, "p", [2]int{2, 3}, []nn.Patch{{Side: 1, Stride: 1, Channels: 3}, {Side: 2, Stride: 1, Channels: 4}}, w)
			if err != nil {
				t.Fatal(err)
			}
			return p.Forward, w
		})},
	}
	for _, g := range []kernels.Gate{kernels.SwiGLU, kernels.GELUAct, kernels.ReLUAct, kernels.LinearAct} {
		cases = append(cases, tapetest.Case{Name: "mlp " + g.String(), Smooth: g != kernels.ReLUAct, Declare: declare(func(b *param.Builder) (tapetest.Layer, int) {
			m := nn.NewMLP(b, key, "m", w, 7, g)
			return func(t *autograd.Tape, x *autograd.Var) *autograd.Var { return autograd.Add(t, x, m.Forward(t, x)) }, w
		})})
	}
	for _, be := range []*kernels.Backend{ref.New(), cpu.New()} {
		for _, c := range cases {
			tapetest.Run(t, be, c)
		}
	}
}

// batchNormWorld is a batch norm between an input layer and two tasks' squared errors.
func batchNormWorld(t *testing.T, mode autograd.Mode) (*autograd.Tape, *param.Set, *nn.BatchNorm, func() float64) {
	t.Helper()
	be := ref.New()
	b := param.NewBuilder()
	in := nn.NewLinear(b, key, "in", 3, 4, false, nn.Normal(1))
	n := nn.NewBatchNorm(b, key, "blocks.1.norm", 4)
	set, err := b.Build(be, rng.New(2))
	if err != nil {
		t.Fatal(err)
	}
	s := rng.New(3)
	for _, p := range []*param.Param{n.G, n.B} {
		for i := range p.Value.F64() {
			p.Value.F64()[i] = s.Normal()
		}
	}
	x, y := tensor.New(dtype.F64, 9, 3), tensor.New(dtype.F64, 9, 4)
	for _, v := range []tensor.Tensor{x, y} {
		for i := range v.F64() {
			v.F64()[i] = 2 + s.Normal()
		}
	}
	tape := autograd.NewTape(be, 2)
	return tape, set, n, func() float64 {
		tape.Begin(mode, false)
		space := tape.NewSpace(9, []autograd.Block{{Task: 0, N: 4}, {Task: 1, Act0: 4, N: 5}}, tensor.Tensor{})
		h := n.Forward(tape, in.Forward(tape, tape.Input(x, space)))
		var loss float64
		for task, row := range []int{0, 4} {
			if v, ok := autograd.TaskView(tape, h, task); ok {
				autograd.Regression(tape, v, y.Narrow(0, row, v.Rows()), 1, 0)
				loss += tape.LossAt(tape.Losses() - 1).Value.F64()[0]
			}
		}
		return loss
	}
}

// TestBatchNormRefuses: with task gradients the layer stops the tape and names itself; without, its gradient is right.
func TestBatchNormRefuses(t *testing.T) {
	tape, _, _, forward := batchNormWorld(t, autograd.PerTask)
	forward()
	if err := tape.Err(); err == nil || !strings.Contains(err.Error(), "blocks.1.norm: batch norm couples the rows of different tasks") {
		t.Errorf("per task: %v", err)
	}
	tape, set, n, forward := batchNormWorld(t, autograd.Plain)
	forward()
	sink := param.NewPlain(tape.Backend(), set)
	if err := tape.Backward(sink, nil); err != nil {
		t.Fatal(err)
	}
	for _, p := range set.Params {
		for i := range p.Value.F64() {
			const eps = 1e-6
			v := &p.Value.F64()[i]
			old := *v
			*v = old + eps
			up := forward()
			*v = old - eps
			down := forward()
			*v = old
			got, want := sink.Grad.F64()[p.Off+i], (up-down)/(2*eps)
			if math.Abs(got-want) > 1e-5*math.Max(1, math.Abs(want)) {
				t.Errorf("%s[%d]: gradient %v, finite difference %v", p.Name, i, got, want)
			}
		}
	}
	for i := 0; i < 400; i++ { // the running averages come to the batch's own values
		forward()
	}
	mean, variance := n.State()
	trained := append([]float64(nil), mean...)
	evalTape, evalSet, evalNorm, evalForward := batchNormWorld(t, autograd.Eval)
	_ = evalTape
	copy(evalSet.Flat.F64(), set.Flat.F64())
	m, v := evalNorm.State()
	copy(m, trained)
	copy(v, variance)
	for j := range v {
		v[j] *= 8. / 9 // a batch is normalised by the biased variance
	}
	tol.Check(t, "evaluation on the batch itself", dtype.F64, 1e6, []float64{evalForward()}, []float64{forward()})
}

// TestInit checks bounds and moments.
func TestInit(t *testing.T) {
	for name, c := range map[string]struct {
		init     param.Init
		std, max float64
	}{
		"normal":          {nn.Normal(0.3), 0.3, 6},
		"truncated":       {nn.TruncNormal(1), 0.8796, 2},
		"uniform":         {nn.Uniform(0.5), 0.5 / math.Sqrt(3), 0.5},
		"xavier uniform":  {nn.XavierUniform(30, 24), math.Sqrt(2. / 54), math.Sqrt(6. / 54)},
		"xavier normal":   {nn.XavierNormal(30, 24), math.Sqrt(2. / 54), 6},
		"kaiming uniform": {nn.KaimingUniform(50, math.Sqrt(5)), 1 / math.Sqrt(150), 1 / math.Sqrt(50)},
		"kaiming normal":  {nn.KaimingNormal(50, 0), 0.2, 6},
		"constant":        {nn.Constant(0.25), 0.25, 0.25},
	} {
		const n = 40000
		s := rng.New(1).Sub(name)
		var sum, squares, most float64
		for i := 0; i < n; i++ {
			v := c.init(s.At(uint64(i)), i)
			sum, squares, most = sum+v, squares+v*v, math.Max(most, math.Abs(v))
		}
		if got := math.Sqrt(squares / n); math.Abs(got-c.std) > 0.02*c.std || most > c.max {
			t.Errorf("%s: rms %v, largest %v; want %v, at most %v", name, got, most, c.std, c.max)
		}
		if name != "constant" && math.Abs(sum/n) > 6*c.std/math.Sqrt(n) {
			t.Errorf("%s: mean %v", name, sum/n)
		}
	}
}

// TestDropout checks share, scale and dependence on the row's key alone.
func TestDropout(t *testing.T) {
	be := cpu.New()
	tape := autograd.NewTape(be, 1)
	d := nn.NewDropout("d", 0.25, rng.New(1))
	run := func(mode autograd.Mode, first int32) []float32 {
		const n, width = 50, 80
		tape.Begin(mode, false)
		keys, x := tensor.New(dtype.I32, n, 2), tensor.New(dtype.F32, n, width)
		for i := 0; i < n; i++ {
			keys.I32()[2*i] = first + int32(i)
		}
		be.Fill(x, 1)
		s := tape.NewSpace(n, []autograd.Block{{N: n}}, keys)
		return append([]float32(nil), d.Forward(tape, tape.Input(x, s)).Value.F32()...)
	}
	a, b := run(autograd.Plain, 0), run(autograd.Plain, 20)
	kept := 0
	for _, v := range a {
		if v != 0 {
			kept++
			if v != float32(1/0.75) {
				t.Fatalf("a kept element is %v", v)
			}
		}
	}
	if share := float64(kept) / float64(len(a)); math.Abs(share-0.75) > 0.04 {
		t.Errorf("share kept %v, want 0.75", share)
	}
	for i := range b[:30*80] {
		if a[20*80+i] != b[i] {
			t.Fatal("the mask of a row depends on its place in the batch")
		}
	}
	for _, v := range run(autograd.Eval, 0) {
		if v != 1 {
			t.Fatal("dropout is on in evaluation")
		}
	}
}

// TestAlignStart: at the start alignment changes nothing.
func TestAlignStart(t *testing.T) {
	be, b := ref.New(), param.NewBuilder()
	a := nn.NewAlign(b, "a", 2, 3)
	if _, err := b.Build(be, rng.New(1)); err != nil {
		t.Fatal(err)
	}
	tape := autograd.NewTape(be, 2)
	tape.Begin(autograd.Eval, false)
	x := tape.Input(tensor.FromF64([]float64{1, 2, 3, 4, 5, 6}, 2, 3), tape.NewSpace(2, []autograd.Block{{Task: 0, N: 1}, {Task: 1, Act0: 1, N: 1}}, tensor.Tensor{}))
	y := a.Forward(tape, x)
	if err := tape.Err(); err != nil {
		t.Fatal(err)
	}
	for i, v := range x.Value.F64() {
		if y.Value.F64()[i] != v {
			t.Errorf("element %d is %v, want %v", i, y.Value.F64()[i], v)
		}
	}
}
