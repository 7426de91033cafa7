package ref_test

import (
	"slices"
	"testing"

	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

// lossScale is 1 for a sum and 1/n for a mean over n.
func lossScale(reduction string, n int) float64 {
	if reduction == "sum" {
		return 1
	}
	return 1 / float64(n)
}

func goldenCrossEntropy(c layerCase) result {
	x, label := c.Inputs["logits"].tensor(), c.Inputs["target"].ints()
	valid := 0
	for _, l := range label.I32() {
		if l >= 0 {
			valid++
		}
	}
	loss, dx := zeros(1), zeros(x.Shape()...)
	be.CrossEntropy(kernels.CrossEntropy{X: x, DX: dx, Label: label, Loss: loss,
		Scale: lossScale(c.Options.Reduction, valid), Smoothing: c.Options.Smoothing})
	return result{loss, map[string]tensor.Tensor{"logits": dx}}
}

func goldenBCE(c layerCase) result {
	x, loss := c.Inputs["x"].tensor(), zeros(1)
	dx := zeros(x.Shape()...)
	be.BCE(kernels.BCE{X: x, DX: dx, Target: c.Inputs["target"].tensor(), Loss: loss, Scale: lossScale(c.Options.Reduction, x.Len())})
	return result{loss, map[string]tensor.Tensor{"x": dx}}
}

func goldenRegression(c layerCase) result {
	x, loss := c.Inputs["x"].tensor(), zeros(1)
	dx := zeros(x.Shape()...)
	be.Regression(kernels.Regression{X: x, DX: dx, Target: c.Inputs["target"].tensor(), Loss: loss,
		Scale: lossScale(c.Options.Reduction, x.Len()), Delta: c.Options.Delta})
	return result{loss, map[string]tensor.Tensor{"x": dx}}
}

func goldenZLoss(c layerCase) result {
	x, loss := c.Inputs["router_logits"].tensor(), zeros(1)
	dx := zeros(x.Shape()...)
	be.ZLoss(kernels.ZLoss{X: x, DX: dx, Loss: loss, Scale: 1 / float64(x.Dim(0))})
	return result{loss, map[string]tensor.Tensor{"router_logits": dx}}
}

// routed is softmax followed by top-k, with the gradient of both.
type routed struct{ p, index, value tensor.Tensor }

func route(logits tensor.Tensor, k int) routed {
	n, e := logits.Dim(0), logits.Dim(1)
	r := routed{zeros(n, e), tensor.New(dtype.I32, n, k), zeros(n, k)}
	be.Softmax(kernels.Softmax{Y: r.p, X: logits})
	be.TopK(kernels.TopK{X: r.p, Index: r.index, Value: r.value})
	return r
}

// grad returns the gradient of the logits for that of the probabilities.
func (r routed) grad(dp tensor.Tensor) tensor.Tensor {
	dx := zeros(r.p.Shape()...)
	be.SoftmaxGrad(kernels.SoftmaxGrad{DX: dx, Y: r.p, DY: dp})
	return dx
}

func goldenRouting(c layerCase) result {
	logits, dense := c.Inputs["router_logits"].tensor(), c.Cotangent.tensor()
	n, e, k := logits.Dim(0), logits.Dim(1), c.Options.K
	r := route(logits, k)
	gates, y, dv := r.value, zeros(n, e), zeros(n, k)
	if c.Options.Renormalize {
		gates = zeros(n, k)
		be.RowNormalize(kernels.RowNormalize{Y: gates, X: r.value})
	}
	for t := 0; t < n; t++ {
		picked := slices.Clone(r.index.At(t).I32())
		for i, id := range picked {
			y.F64()[t*e+int(id)] = gates.F64()[t*k+i]
			dv.F64()[t*k+i] = dense.F64()[t*e+int(id)]
		}
		slices.Sort(picked)
		for i, id := range picked {
			if want := c.Extra.ExpertIDs.v[t*k+i]; float64(id) != want {
				panic("another choice of experts")
			}
		}
	}
	if c.Options.Renormalize {
		dx := zeros(n, k)
		be.RowNormalizeGrad(kernels.RowNormalizeGrad{DX: dx, X: r.value, Y: gates, DY: dv})
		dv = dx
	}
	dp := zeros(n, e)
	be.TopKGrad(kernels.TopKGrad{DX: dp, Index: r.index, DV: dv})
	return result{y, map[string]tensor.Tensor{"router_logits": r.grad(dp)}}
}

func goldenBalance(c layerCase) result {
	logits := c.Inputs["router_logits"].tensor()
	n, e, k := logits.Dim(0), logits.Dim(1), c.Options.K
	r := route(logits, k)
	count, rows, set := tensor.New(dtype.I32, 1, e), tensor.New(dtype.I32, 1), tensor.New(dtype.I32, n)
	be.CountPicks(kernels.CountPicks{Index: r.index, Set: set, Count: count, Rows: rows})
	weight := 1.0 // f is a share; the convention in which it sums to k is k times as large
	if c.Options.F[0] == 'a' {
		weight = float64(k)
	}
	loss, dp := zeros(1), zeros(n, e)
	be.Balance(kernels.Balance{P: r.p, DP: dp, Count: count, Set: set, Weight: tensor.FromF64([]float64{weight}, 1), Rows: rows,
		Loss: loss, Scale: 1})
	return result{loss, map[string]tensor.Tensor{"router_logits": r.grad(dp)}}
}

// optimRun is one run of testdata/optim.json.
type optimRun struct {
	Optimizer string
	Options   struct {
		LR, Momentum, Dampening, Eps float64
		Decay                        *float64 `json:"weight_decay"`
		Betas                        []float64
		Nesterov                     bool
	}
	Steps []struct{ Grads, Params []array }
}

// TestGoldenOptimizers follows other implementations for four steps.
func TestGoldenOptimizers(t *testing.T) {
	var file struct {
		W0   []array
		Runs []optimRun
	}
	load(t, "testdata/optim.json", &file)
	for i, run := range file.Runs {
		for k, w := range file.W0 {
			n := len(w.v)
			p, m, v := tensor.FromF64(slices.Clone(w.v), n), zeros(n), zeros(n)
			for s, step := range run.Steps {
				run.step(p, tensor.FromF64(step.Grads[k].v, n), m, v, s)
				wantClose(t, run.Optimizer, p.F64(), step.Params[k].v, 1e-13)
			}
			if t.Failed() {
				t.Fatalf("run %d: %s %+v", i, run.Optimizer, run.Options)
			}
		}
	}
}

// step makes step s (from 0) with the defaults of torch.optim.
func (r optimRun) step(p, g, m, v tensor.Tensor, s int) {
	o, b1, b2, eps, decay := r.Options, 0.9, 0.999, 1e-8, 0.0
	switch r.Optimizer {
	case "adamw":
		decay = 0.01
	case "lion":
		b2 = 0.99
	}
	if o.Betas != nil {
		b1, b2 = o.Betas[0], o.Betas[1]
	}
	if o.Eps != 0 {
		eps = o.Eps
	}
	if o.Decay != nil {
		decay = *o.Decay
	}
	switch r.Optimizer {
	case "sgd":
		be.SGD(kernels.SGD{P: p, G: g, M: m, LR: o.LR, Momentum: o.Momentum, Dampening: o.Dampening, Decay: decay, Scale: 1,
			Nesterov: o.Nesterov, First: s == 0})
	case "lion":
		be.Lion(kernels.Lion{P: p, G: g, M: m, LR: o.LR, Beta1: b1, Beta2: b2, Decay: decay, Scale: 1})
	default:
		be.Adam(kernels.Adam{P: p, G: g, M: m, V: v, LR: o.LR, Beta1: b1, Beta2: b2, Eps: eps, Decay: decay, Scale: 1,
			Step: int64(s + 1), Decoupled: r.Optimizer == "adamw"})
	}
}
