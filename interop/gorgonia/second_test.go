package gorgonia_test

import (
	"testing"

	"artel/autograd"
	"artel/kernels"
	"artel/kernels/cpu"
	"artel/kernels/ref"
	"artel/param"
	"artel/rng"
	artel "artel/tensor"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Second opinions: what Gorgonia's own operations and its own differentiation say of functions that Artel computes and differentiates by hand.

// opinion is one function of rows [tokens,width] and weights [width,classes] that ends in a number, said twice.
type opinion struct {
	name string
	ours func(t *autograd.Tape, x *autograd.Var, w, b *param.Param)
	// theirs gets x [tokens,width], w [width,classes], b [classes] and the targets, and returns the cost.
	theirs func(x, w, b, target, label *G.Node) *G.Node
}

const classes = 4

// labels has one class for every row and one row without any.
func labels() (index []int32, hot []float64) {
	hot = make([]float64, tokens*classes)
	for i := range tokens {
		c := (i*i + 1) % classes
		if i == 3 {
			index = append(index, -1)
			continue
		}
		index = append(index, int32(c))
		hot[i*classes+c] = 1
	}
	return index, hot
}

// squared ends a function of rows [tokens,classes] by the mean squared distance to targets.
func squared(t *autograd.Tape, y *autograd.Var) {
	target := t.New(tokens, classes)
	t.Backend().Copy(kernels.Copy{Dst: target, Src: artel.FromF64(values(2, tokens*classes), tokens, classes)})
	autograd.Regression(t, y, target, 1./(tokens*classes), 0)
}

func affine(x, w, b *G.Node) *G.Node {
	return G.Must(G.BroadcastAdd(G.Must(G.Mul(x, w)), G.Must(G.Reshape(b, tensor.Shape{1, classes})), nil, []byte{0}))
}

func meanSquare(y, target *G.Node) *G.Node {
	return G.Must(G.Mean(G.Must(G.Square(G.Must(G.Sub(y, target))))))
}

// normalCDF is Phi(x), by the power series of the error function: Gorgonia has no operation for it. 60 terms are exact to rounding for |x| < 5.
func normalCDF(x *G.Node) *G.Node {
	// erf(z) = 2 z/sqrt(pi) sum_n (-z^2)^n/(n!(2n+1)), by Horner's rule from the last term, with z^2 = x^2/2.
	u := G.Must(G.Mul(G.Must(G.Square(x)), G.NewConstant(-0.5)))
	ratio := func(n float64) float64 { return (2*n - 1) / (n * (2*n + 1)) } // of coefficient n to coefficient n-1
	sum := G.Must(G.Add(G.Must(G.Mul(u, G.NewConstant(ratio(60)))), G.NewConstant(1.)))
	for n := 59.; n >= 1; n-- {
		sum = G.Must(G.Add(G.Must(G.Mul(G.Must(G.HadamardProd(u, sum)), G.NewConstant(ratio(n)))), G.NewConstant(1.)))
	}
	const density = 0.39894228040143267794 // 1/sqrt(2 pi)
	return G.Must(G.Add(G.Must(G.Mul(G.Must(G.HadamardProd(x, sum)), G.NewConstant(density))), G.NewConstant(0.5)))
}

func opinions() []opinion {
	cs := []opinion{{
		name: "linear with bias, squared error",
		ours: func(t *autograd.Tape, x *autograd.Var, w, b *param.Param) { squared(t, autograd.Linear(t, x, w, b)) },
		theirs: func(x, w, b, target, _ *G.Node) *G.Node {
			return meanSquare(affine(x, w, b), target)
		},
	}, {
		name: "softmax cross-entropy",
		ours: func(t *autograd.Tape, x *autograd.Var, w, b *param.Param) {
			index, _ := labels()
			autograd.CrossEntropy(t, autograd.Linear(t, x, w, b), artel.Of(artel.WrapI32(index), 0, tokens), 1./tokens, 0)
		},
		theirs: func(x, w, b, _, label *G.Node) *G.Node {
			picked := G.Must(G.HadamardProd(label, G.Must(G.Log(G.Must(G.SoftMax(affine(x, w, b), 1))))))
			return G.Must(G.Mul(G.Must(G.Sum(picked)), G.NewConstant(-1./tokens)))
		},
	}, {
		name: "softmax",
		ours: func(t *autograd.Tape, x *autograd.Var, w, b *param.Param) {
			squared(t, autograd.Softmax(t, autograd.Linear(t, x, w, b)))
		},
		theirs: func(x, w, b, target, _ *G.Node) *G.Node {
			return meanSquare(G.Must(G.SoftMax(affine(x, w, b), 1)), target)
		},
	}, {
		name: "rms norm",
		ours: func(t *autograd.Tape, x *autograd.Var, w, b *param.Param) {
			squared(t, autograd.RMSNorm(t, autograd.Linear(t, x, w, b), nil, 1e-3))
		},
		theirs: func(x, w, b, target, _ *G.Node) *G.Node {
			y := affine(x, w, b)
			mean := G.Must(G.Add(G.Must(G.Mul(G.Must(G.Sum(G.Must(G.Square(y)), 1)), G.NewConstant(1./classes))), G.NewConstant(1e-3)))
			rstd := G.Must(G.Reshape(G.Must(G.Inverse(G.Must(G.Sqrt(mean)))), tensor.Shape{tokens, 1}))
			return meanSquare(G.Must(G.BroadcastHadamardProd(y, rstd, nil, []byte{1})), target)
		},
	}}
	for f, node := range map[kernels.Unary]func(*G.Node) (*G.Node, error){
		kernels.ReLU:     G.Rectify,
		kernels.Sigmoid:  G.Sigmoid,
		kernels.Tanh:     G.Tanh,
		kernels.Exp:      G.Exp,
		kernels.Square:   G.Square,
		kernels.Softplus: G.Softplus,
		kernels.SiLU:     func(h *G.Node) (*G.Node, error) { return G.HadamardProd(h, G.Must(G.Sigmoid(h))) },
		kernels.GELU:     func(h *G.Node) (*G.Node, error) { return G.HadamardProd(h, normalCDF(h)) },
	} {
		cs = append(cs, opinion{
			name: f.String(),
			ours: func(t *autograd.Tape, x *autograd.Var, w, b *param.Param) {
				squared(t, autograd.Map(t, f, autograd.Linear(t, x, w, b)))
			},
			theirs: func(x, w, b, target, _ *G.Node) *G.Node {
				return meanSquare(G.Must(node(affine(x, w, b))), target)
			},
		})
	}
	return cs
}

// evaluate runs Artel's side: the cost, the weights, and their gradients.
func (o *opinion) evaluate(t *testing.T, be *kernels.Backend) (cost float64, w, b, dw, db []float64) {
	t.Helper()
	builder := param.NewBuilder()
	key := param.Key{Kind: param.Shared, Layer: "layer"}
	normal := func(s rng.Stream, _ int) float64 { return 0.5 * s.Normal() }
	pw, pb := builder.Add(key, "w", true, normal, width, classes), builder.Add(key, "b", false, normal, classes)
	set, err := builder.Build(be, rng.New(5))
	if err != nil {
		t.Fatal(err)
	}
	tape, sink := autograd.NewTape(be, 1), param.NewPlain(be, set)
	tape.Begin(autograd.Plain, false)
	x := be.New(be.Float, tokens, width)
	be.Copy(kernels.Copy{Dst: x, Src: artel.FromF64(values(1, tokens*width), tokens, width)})
	o.ours(tape, tape.Input(x, tape.NewSpace(tokens, []autograd.Block{{N: tokens}}, artel.Tensor{})), pw, pb)
	if err := tape.Backward(sink, nil); err != nil {
		t.Fatalf("%s: %v", o.name, err)
	}
	sink.Settle(be, artel.Tensor{}, artel.Tensor{}, false)
	read := func(x artel.Tensor) []float64 {
		h := artel.FromF64(make([]float64, x.Len()), x.Len())
		be.Copy(kernels.Copy{Dst: h, Src: x})
		return h.F64()
	}
	grad := read(sink.Grad)
	return tape.LossAt(0).Value.F64()[0], read(pw.Value.Reshape(pw.Len())), read(pb.Value), grad[pw.Off : pw.Off+pw.Len()], grad[pb.Off : pb.Off+pb.Len()]
}

// TestSecondOpinion: cost and gradients of Artel's reference and CPU kernels are those of Gorgonia's operations, differentiated by Gorgonia.
func TestSecondOpinion(t *testing.T) {
	_, hot := labels()
	for _, o := range opinions() {
		cost, w, b, dw, db := o.evaluate(t, ref.New())
		g := G.NewGraph()
		input := func(name string, v []float64, shape ...int) *G.Node {
			return G.NewTensor(g, tensor.Float64, len(shape), G.WithShape(shape...), G.WithName(name), G.WithValue(dense(tensor.Float64, v, shape...)))
		}
		nw, nb := input("w", w, width, classes), input("b", b, classes)
		loss := o.theirs(input("x", values(1, tokens*width), tokens, width), nw, nb, input("target", values(2, tokens*classes), tokens, classes), input("label", hot, tokens, classes))
		grads, err := G.Grad(loss, nw, nb)
		if err != nil {
			t.Fatalf("%s: %v", o.name, err)
		}
		var gw, gb G.Value
		G.Read(grads[0], &gw)
		G.Read(grads[1], &gb)
		vm := G.NewTapeMachine(g)
		if err := vm.RunAll(); err != nil {
			t.Fatalf("%s: %v", o.name, err)
		}
		wantCost, wantW, wantB := numbers(t, loss.Value()), numbers(t, gw), numbers(t, gb)
		vm.Close()
		near(t, o.name+": cost", []float64{cost}, wantCost, 1e-12)
		near(t, o.name+": gradient of w", dw, wantW, 1e-12)
		near(t, o.name+": gradient of b", db, wantB, 1e-12)
		cost, _, _, dw, db = o.evaluate(t, cpu.New())
		near(t, o.name+": float32 cost", []float64{cost}, wantCost, 1e-5)
		near(t, o.name+": float32 gradient of w", dw, wantW, 1e-5)
		near(t, o.name+": float32 gradient of b", db, wantB, 1e-5)
	}
}
