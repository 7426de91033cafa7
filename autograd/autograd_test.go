package autograd_test

import (
	"testing"

	"artel/autograd"
	"artel/internal/tapetest"
	"artel/kernels"
	"artel/kernels/ref"
	"artel/param"
	"artel/rng"
)

func normal(s rng.Stream, i int) float64 { return 0.5 * s.Normal() }

var (
	shared = param.Key{Kind: param.Shared, Layer: "layer"}
	router = param.Key{Kind: param.Router, Layer: "layer"}
)

const w = tapetest.Width

// expertBanks declares e experts of hidden width f.
func expertBanks(b *param.Builder, e, f int, gate kernels.Gate) (up, down *param.Bank) {
	up, down = &param.Bank{}, &param.Bank{}
	for i := 0; i < e; i++ {
		key := param.Key{Kind: param.Expert, Layer: "layer", Expert: i}
		name := string(rune('a' + i))
		up.Experts = append(up.Experts, b.Add(key, name+".up", true, normal, w, gate.Width(f)))
		down.Experts = append(down.Experts, b.Add(key, name+".down", true, normal, f, w))
	}
	return up, down
}

// mixture is a top-k softmax mixture with both auxiliary losses when aux is set.
func mixture(e, k, capacity int, gate kernels.Gate, taskAware, aux bool) func(*param.Builder, int) (tapetest.Layer, int) {
	return func(b *param.Builder, tasks int) (tapetest.Layer, int) {
		wr := b.Add(router, "router", true, normal, w, e)
		up, down := expertBanks(b, e, 5, gate)
		var emb, we *param.Param
		if taskAware {
			emb = b.Add(router, "task", true, normal, tasks, 3)
			we = b.Add(router, "task.weight", true, normal, 3, e)
		}
		return func(t *autograd.Tape, x *autograd.Var) *autograd.Var {
			logits := autograd.Linear(t, x, wr, nil)
			if taskAware {
				logits = autograd.AddByTask(t, logits, autograd.Linear(t, autograd.TaskTable(t, emb), we, nil))
			}
			probs := autograd.Softmax(t, logits)
			index, weights := autograd.TopK(t, probs, probs, k)
			if t.Err() != nil {
				return t.Bad()
			}
			plan := t.Plan(x.Space, index, e, capacity)
			if aux {
				autograd.ZLoss(t, logits, 0.05/float64(x.Rows()))
				n := x.Rows()
				set, weight, rows := t.NewI32(n), t.New(1), t.NewI32(1)
				clear(set.I32())
				t.Backend().Fill(weight, 1)
				rows.I32()[0] = int32(n)
				autograd.BalanceLoss(t, probs, plan.Count.Narrow(0, 0, e).Reshape(1, e), set, weight, rows, 0.1)
			}
			return autograd.Experts(t, x, autograd.RowNormalize(t, weights), plan, up, down, gate)
		}, w
	}
}

func cases() []tapetest.Case {
	one := func(f func(t *autograd.Tape, x *autograd.Var) *autograd.Var, width int) func(*param.Builder, int) (tapetest.Layer, int) {
		return func(*param.Builder, int) (tapetest.Layer, int) { return f, width }
	}
	cs := []tapetest.Case{
		{Name: "linear, bias", Smooth: true, Declare: func(b *param.Builder, _ int) (tapetest.Layer, int) {
			wt, bias := b.Add(shared, "w", true, normal, w, 5), b.Add(shared, "b", false, normal, 5)
			return func(t *autograd.Tape, x *autograd.Var) *autograd.Var { return autograd.Linear(t, x, wt, bias) }, 5
		}},
		{Name: "parameter used twice", Smooth: true, Declare: func(b *param.Builder, _ int) (tapetest.Layer, int) {
			wt := b.Add(shared, "w", true, normal, w, w)
			return func(t *autograd.Tape, x *autograd.Var) *autograd.Var {
				return autograd.Linear(t, autograd.Map(t, kernels.Tanh, autograd.Linear(t, x, wt, nil)), wt, nil)
			}, w
		}},
		{Name: "linear, tanh", Smooth: true, Declare: func(b *param.Builder, _ int) (tapetest.Layer, int) {
			wt, bias := b.Add(shared, "w", true, normal, w, 5), b.Add(shared, "b", false, normal, 5)
			return func(t *autograd.Tape, x *autograd.Var) *autograd.Var {
				return autograd.LinearMap(t, x, wt, bias, kernels.Tanh)
			}, 5
		}},
		{Name: "linear, relu", Declare: func(b *param.Builder, _ int) (tapetest.Layer, int) {
			wt, bias := b.Add(shared, "w", true, normal, w, 5), b.Add(shared, "b", false, normal, 5)
			return func(t *autograd.Tape, x *autograd.Var) *autograd.Var {
				return autograd.LinearMap(t, x, wt, bias, kernels.ReLU)
			}, 5
		}},
		{Name: "mlp with a residual", Smooth: true, Declare: func(b *param.Builder, _ int) (tapetest.Layer, int) {
			up, down := b.Add(shared, "up", true, normal, w, 8), b.Add(shared, "down", true, normal, 4, w)
			return func(t *autograd.Tape, x *autograd.Var) *autograd.Var {
				h := autograd.MLP(t, autograd.RMSNorm(t, x, nil, 1e-6), up, down, kernels.SwiGLU, x)
				h = autograd.MLP(t, h, up, down, kernels.SwiGLU, h)                        // the residual is the input
				return autograd.Add(t, autograd.MLP(t, x, up, down, kernels.SwiGLU, h), h) // and one that is read again
			}, w
		}},
		{Name: "rmsnorm", Smooth: true, Declare: func(b *param.Builder, _ int) (tapetest.Layer, int) {
			g := b.Add(shared, "g", false, normal, w)
			return func(t *autograd.Tape, x *autograd.Var) *autograd.Var { return autograd.RMSNorm(t, x, g, 1e-6) }, w
		}},
		{Name: "layernorm", Smooth: true, Declare: func(b *param.Builder, _ int) (tapetest.Layer, int) {
			g, bias := b.Add(shared, "g", false, normal, w), b.Add(shared, "b", false, normal, w)
			return func(t *autograd.Tape, x *autograd.Var) *autograd.Var { return autograd.LayerNorm(t, x, g, bias, 1e-5) }, w
		}},
		{Name: "residual, gated", Smooth: true, Declare: func(b *param.Builder, _ int) (tapetest.Layer, int) {
			up, down := b.Add(shared, "up", true, normal, w, 8), b.Add(shared, "down", true, normal, 4, w)
			return func(t *autograd.Tape, x *autograd.Var) *autograd.Var {
				h := autograd.RMSNorm(t, x, nil, 1e-6)
				h = autograd.Linear(t, autograd.Gated(t, kernels.SwiGLU, autograd.Linear(t, h, up, nil)), down, nil)
				x = autograd.Add(t, x, h)
				return autograd.Add(t, x, autograd.Mul(t, x, h)) // h and x are both read again: no buffer may be shared wrongly
			}, w
		}},
		{Name: "add to itself", Smooth: true, Declare: one(func(t *autograd.Tape, x *autograd.Var) *autograd.Var {
			return autograd.Add(t, x, x)
		}, w)},
		{Name: "softmax, scale, stop-gradient, straight-through", Declare: one(func(t *autograd.Tape, x *autograd.Var) *autograd.Var {
			p := autograd.Softmax(t, autograd.Scale(t, 1.5, x))
			hard := autograd.Map(t, kernels.ReLU, p)
			return autograd.Mul(t, autograd.StraightThrough(t, hard, p), autograd.StopGradient(t, p))
		}, w)},
		{Name: "dropout, noise", Smooth: true, Declare: one(func(t *autograd.Tape, x *autograd.Var) *autograd.Var {
			n := autograd.Noise(t, x, w, rng.New(5))
			return autograd.Mul(t, autograd.Dropout(t, x, 0.4, rng.New(4)), n)
		}, w)},
		{Name: "task table", Owned: true, Smooth: true, Declare: func(b *param.Builder, tasks int) (tapetest.Layer, int) {
			table := b.Add(shared, "table", true, normal, tasks, w)
			return func(t *autograd.Tape, x *autograd.Var) *autograd.Var {
				return autograd.AddByTask(t, x, autograd.TaskTable(t, table))
			}, w
		}},
		{Name: "task linear", Owned: true, Smooth: true, Declare: func(b *param.Builder, tasks int) (tapetest.Layer, int) {
			var ws []*param.Param
			for i := 0; i < tasks; i++ {
				ws = append(ws, b.Add(param.Key{Kind: param.Router, Layer: string(rune('a' + i))}, "w"+string(rune('a'+i)), true, normal, w, w))
			}
			return func(t *autograd.Tape, x *autograd.Var) *autograd.Var { return autograd.TaskLinear(t, x, ws) }, w
		}},
		{Name: "mixture", Smooth: true, Declare: mixture(4, 2, 0, kernels.SwiGLU, false, false)},
		{Name: "mixture, capacity, gelu", Declare: mixture(3, 2, 4, kernels.GELUAct, false, false)},
		{Name: "mixture, all experts, auxiliary losses", Smooth: true, Aux: true, Declare: mixture(3, 3, 0, kernels.LinearAct, false, true)},
		{Name: "mixture, task-aware, auxiliary losses", Owned: true, Smooth: true, Aux: true, Declare: mixture(4, 2, 0, kernels.SwiGLU, true, true)},
		{Name: "expand inside", Smooth: true, Declare: func(b *param.Builder, tasks int) (tapetest.Layer, int) {
			w0 := b.Add(shared, "w0", true, normal, w, w)
			in, width := mixture(4, 2, 0, kernels.SwiGLU, true, true)(b, tasks)
			return func(t *autograd.Tape, x *autograd.Var) *autograd.Var {
				x = autograd.Add(t, x, autograd.Linear(t, x, w0, nil))
				return in(t, autograd.Expand(t, x))
			}, width
		}, Aux: true},
		{Name: "patches", Smooth: true, Declare: func(b *param.Builder, _ int) (tapetest.Layer, int) {
			wt, bias := b.Add(shared, "w", true, normal, 4, 5), b.Add(shared, "b", false, normal, 5)
			return func(t *autograd.Tape, x *autograd.Var) *autograd.Var {
				index := t.NewI32(8) // two overlapping patches of four columns
				for i := range index.I32() {
					index.I32()[i] = int32(i%4 + i/4*2)
				}
				h := autograd.Patches(t, x, index, 2)
				return autograd.Join(t, autograd.Map(t, kernels.Tanh, autograd.Linear(t, h, wt, bias)), x.Space)
			}, 10
		}},
		{Name: "embedding", Smooth: true, Declare: func(b *param.Builder, tasks int) (tapetest.Layer, int) {
			table := b.Add(shared, "table", true, normal, 9, w)
			return func(t *autograd.Tape, x *autograd.Var) *autograd.Var {
				n := x.Rows()
				ids, off := t.NewI32(2*n), t.NewI32(n+1)
				for i := range ids.I32() {
					ids.I32()[i] = int32(i * 5 % 9)
				}
				for i := range off.I32() {
					off.I32()[i] = int32(i*2 - i%2)
				}
				return autograd.Add(t, x, autograd.Embed(t, table, ids, off, true, x.Space))
			}, w
		}},
	}
	return cs
}

func TestTaskGradients(t *testing.T) {
	be := ref.New()
	for _, c := range cases() {
		tapetest.Run(t, be, c)
	}
}
