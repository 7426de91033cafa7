package ref_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/ref"
	"artel/tensor"
)

// array is a JSON number or nested list of numbers.
type array struct {
	shape []int
	v     []float64
}

func (a *array) UnmarshalJSON(b []byte) error {
	if b[0] != '[' {
		a.v = make([]float64, 1)
		return json.Unmarshal(b, &a.v[0])
	}
	var parts []array
	if err := json.Unmarshal(b, &parts); err != nil {
		return err
	}
	a.shape = append([]int{len(parts)}, parts[0].shape...)
	for _, p := range parts {
		a.v = append(a.v, p.v...)
	}
	return nil
}

// tensor returns a fresh F64 tensor.
func (a array) tensor() tensor.Tensor {
	return tensor.FromF64(append([]float64(nil), a.v...), a.shape...)
}

// ints returns a fresh I32 vector.
func (a array) ints() tensor.Tensor {
	x := tensor.New(dtype.I32, len(a.v))
	for i, v := range a.v {
		x.I32()[i] = int32(v)
	}
	return x
}

// layerCase is one case of testdata/layers.json.
type layerCase struct {
	Op      string
	Options struct {
		Eps, Delta  float64
		Reduction   string
		Smoothing   float64 `json:"label_smoothing"`
		K           int
		Renormalize bool
		F           string
	}
	Inputs, Grads     map[string]array
	Output, Cotangent array
	Extra             struct {
		ExpertIDs array `json:"expert_ids"`
	}
}

// result is what an op gave for a case, to be compared with output and grads.
type result struct {
	output tensor.Tensor
	grads  map[string]tensor.Tensor
}

var be = ref.New()

// TestGoldenLayers compares forward results and gradients with reference values.
func TestGoldenLayers(t *testing.T) {
	var file struct{ Cases []layerCase }
	load(t, "testdata/layers.json", &file)
	solvers := map[string]func(layerCase) result{
		"rmsnorm": goldenRMSNorm, "layernorm": goldenLayerNorm, "swiglu": goldenSwiGLU, "softmax": goldenSoftmax,
		"linear": goldenLinear, "embedding": goldenEmbedding, "cross_entropy": goldenCrossEntropy, "bce_with_logits": goldenBCE,
		"mse": goldenRegression, "huber": goldenRegression, "routing": goldenRouting, "load_balance": goldenBalance, "z_loss": goldenZLoss,
	}
	for name, f := range map[string]kernels.Unary{"gelu": kernels.GELU, "silu": kernels.SiLU, "sigmoid": kernels.Sigmoid,
		"tanh": kernels.Tanh, "relu": kernels.ReLU} {
		solvers[name] = func(c layerCase) result { return goldenMap(c, f) }
	}
	for i, c := range file.Cases {
		t.Run(fmt.Sprintf("%d_%s", i, c.Op), func(t *testing.T) {
			r := solvers[c.Op](c)
			wantClose(t, "output", r.output.F64(), c.Output.v, 1e-12)
			if len(r.grads) != len(c.Grads) {
				t.Fatalf("%d gradients, want %d", len(r.grads), len(c.Grads))
			}
			for name, g := range r.grads {
				wantClose(t, "gradient of "+name, g.F64(), c.Grads[name].v, 1e-11)
			}
		})
	}
}

func load(t *testing.T, file string, v any) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// wantClose compares with an error relative to the largest wanted value, or to 1e-3 where all of them are noise around 0.
func wantClose(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	scale := 1e-3
	for _, w := range want {
		scale = max(scale, math.Abs(w))
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tol*scale) {
			t.Errorf("%s[%d] = %v, want %v", what, i, got[i], want[i])
		}
	}
}

// zeros returns an F64 tensor.
func zeros(shape ...int) tensor.Tensor { return tensor.New(dtype.F64, shape...) }

// flags returns I32 [1,1]: one destination without a gradient.
func flags() tensor.Tensor { return tensor.New(dtype.I32, 1, 1) }

// oneTask returns the segment table of n rows of one task.
func oneTask(n int) tensor.Tensor {
	return tensor.FromI32([]int32{0, 0, 0, 0, int32(n)}, 1, kernels.SegCols)
}

func goldenRMSNorm(c layerCase) result {
	x, w, dy := c.Inputs["x"].tensor(), c.Inputs["weight"].tensor(), c.Cotangent.tensor()
	n, d := x.Dim(0), x.Dim(1)
	y, rstd, dx, dw := zeros(n, d), zeros(n), zeros(n, d), zeros(1, 1, d)
	be.RMSNorm(kernels.RMSNorm{Y: y, X: x, W: w, RStd: rstd, Eps: c.Options.Eps})
	be.RMSNormGrad(kernels.RMSNormGrad{DX: dx, X: x, W: w, RStd: rstd, DY: dy, Segs: oneTask(n), DstW: dw, Touched: flags()})
	return result{y, map[string]tensor.Tensor{"x": dx, "weight": dw}}
}

func goldenLayerNorm(c layerCase) result {
	x, w, b, dy := c.Inputs["x"].tensor(), c.Inputs["weight"].tensor(), c.Inputs["bias"].tensor(), c.Cotangent.tensor()
	n, d := x.Dim(0), x.Dim(1)
	y, stat, dx, dw, db := zeros(n, d), zeros(n, 2), zeros(n, d), zeros(1, 1, d), zeros(1, 1, d)
	be.LayerNorm(kernels.LayerNorm{Y: y, X: x, W: w, B: b, Stat: stat, Eps: c.Options.Eps})
	be.LayerNormGrad(kernels.LayerNormGrad{DX: dx, X: x, W: w, Stat: stat, DY: dy, Segs: oneTask(n), DstW: dw, Touched: flags()})
	be.GradB(kernels.GradB{DY: dy, Segs: oneTask(n), Dst: db, Touched: flags()})
	return result{y, map[string]tensor.Tensor{"x": dx, "weight": dw, "bias": db}}
}

// weightGrad returns dY^T X, the gradient of a weight stored [out,in], through the transposed destination of GradW.
func weightGrad(x, dy tensor.Tensor) tensor.Tensor {
	dst := zeros(1, 1, dy.Dim(1), x.Dim(1))
	be.GradW(kernels.GradW{X: x, DY: dy, Segs: oneTask(x.Dim(0)), Dst: dst.Swap(2, 3), Touched: flags()})
	return dst
}

// product returns a*b.
func product(a, b tensor.Tensor) tensor.Tensor {
	c := zeros(a.Dim(0), b.Dim(1))
	be.GEMM(kernels.GEMM{A: a, B: b, C: c})
	return c
}

func goldenSwiGLU(c layerCase) result {
	x, gate, up, down := c.Inputs["x"].tensor(), c.Inputs["w_gate"].tensor(), c.Inputs["w_up"].tensor(), c.Inputs["w_down"].tensor()
	n, f, dy := x.Dim(0), gate.Dim(0), c.Cotangent.tensor()
	h, a, dh, dx := zeros(n, 2*f), zeros(n, f), zeros(n, 2*f), zeros(n, x.Dim(1))
	be.GEMM(kernels.GEMM{A: x, B: gate.T(), C: h.Narrow(1, 0, f)})
	be.GEMM(kernels.GEMM{A: x, B: up.T(), C: h.Narrow(1, f, f)})
	be.Gated(kernels.Gated{A: a, H: h, Gate: kernels.SwiGLU})
	be.GatedGrad(kernels.GatedGrad{DH: dh, H: h, DA: product(dy, down), Gate: kernels.SwiGLU})
	be.GEMM(kernels.GEMM{A: dh.Narrow(1, 0, f), B: gate, C: dx})
	be.GEMM(kernels.GEMM{A: dh.Narrow(1, f, f), B: up, C: dx, Accumulate: true})
	return result{product(a, down.T()), map[string]tensor.Tensor{"x": dx, "w_down": weightGrad(a, dy),
		"w_gate": weightGrad(x, dh.Narrow(1, 0, f)), "w_up": weightGrad(x, dh.Narrow(1, f, f))}}
}

func goldenMap(c layerCase, f kernels.Unary) result {
	x := c.Inputs["x"].tensor()
	y, dx := zeros(x.Shape()...), zeros(x.Shape()...)
	be.Map(kernels.Map{Dst: y, X: x, F: f})
	be.MapGrad(kernels.MapGrad{DX: dx, X: x, DY: c.Cotangent.tensor(), F: f})
	return result{y, map[string]tensor.Tensor{"x": dx}}
}

func goldenSoftmax(c layerCase) result {
	x := c.Inputs["x"].tensor()
	y, dx := zeros(x.Shape()...), zeros(x.Shape()...)
	be.Softmax(kernels.Softmax{Y: y, X: x})
	be.SoftmaxGrad(kernels.SoftmaxGrad{DX: dx, Y: y, DY: c.Cotangent.tensor()})
	return result{y, map[string]tensor.Tensor{"x": dx}}
}

func goldenLinear(c layerCase) result {
	x, w, dy := c.Inputs["x"].tensor(), c.Inputs["weight"].tensor(), c.Cotangent.tensor()
	y, db := zeros(x.Dim(0), w.Dim(0)), zeros(1, 1, w.Dim(0))
	be.GEMM(kernels.GEMM{A: x, B: w.T(), C: y, Bias: c.Inputs["bias"].tensor()})
	be.GradB(kernels.GradB{DY: dy, Segs: oneTask(x.Dim(0)), Dst: db, Touched: flags()})
	return result{y, map[string]tensor.Tensor{"x": product(dy, w), "weight": weightGrad(x, dy), "bias": db}}
}

func goldenEmbedding(c layerCase) result {
	w, ids := c.Inputs["weight"].tensor(), c.Inputs["ids"].ints()
	n, v, d := ids.Len(), w.Dim(0), w.Dim(1)
	y, dw := zeros(n, d), zeros(1, 1, v, d)
	be.Embed(kernels.Embed{Table: w, IDs: ids, Dst: y})
	be.EmbedGrad(kernels.EmbedGrad{IDs: ids, DY: c.Cotangent.tensor().Reshape(n, d), Segs: oneTask(n), Dst: dw, Touched: flags()})
	return result{y, map[string]tensor.Tensor{"weight": dw}}
}
