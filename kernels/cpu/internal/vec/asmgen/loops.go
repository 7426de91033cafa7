package main

// loops lists the loops; the comments of vec.Set say what they compute.
func loops() []*loop {
	list := []*loop{
		{name: "Dot", slices: []string{"x", "y"}, unroll: 4, body: func(b *body) { b.sum(b.mul(b.in("x"), b.in("y"))) }},
		{name: "Dot3", slices: []string{"x", "y", "w"}, unroll: 2, body: func(b *body) { b.sum(b.mul(b.mul(b.in("x"), b.in("w")), b.in("y"))) }},
		{name: "Inner", slices: []string{"x", "y"}, unroll: 2, body: func(b *body) { b.sum(b.mul(b.in("x"), b.in("y"))) }},
		{name: "Moments", slices: []string{"x"}, scalars: []string{"mean"}, unroll: 2, body: func(b *body) {
			d := b.sub(b.in("x"), b.s("mean"))
			b.sum(d)
			b.sum(b.mul(d, d))
		}},
		{name: "Max", slices: []string{"x"}, unroll: 2, body: func(b *body) { b.largest(b.in("x")) }},
		{name: "Axpy", slices: []string{"dst", "x"}, scalars: []string{"alpha"}, unroll: 2, body: func(b *body) {
			b.out("dst", b.add(b.in("dst"), b.mul(b.s("alpha"), b.in("x"))))
		}},
		{name: "Axpy2", slices: []string{"dst", "x", "y"}, scalars: []string{"alpha", "beta"}, unroll: 2, body: func(b *body) {
			b.out("dst", b.add(b.add(b.in("dst"), b.mul(b.s("alpha"), b.in("x"))), b.mul(b.s("beta"), b.in("y"))))
		}},
		mix("Mix2", "x", "y"), mix("Mix3", "x", "y", "z"), mix("Mix4", "x", "y", "z", "w"),
		{name: "Scale", slices: []string{"dst", "x"}, scalars: []string{"alpha"}, unroll: 2, body: func(b *body) {
			b.out("dst", b.mul(b.s("alpha"), b.in("x")))
		}},
		{name: "Affine", slices: []string{"dst", "x"}, scalars: []string{"alpha", "beta"}, unroll: 2, body: func(b *body) {
			b.out("dst", b.add(b.mul(b.s("alpha"), b.in("x")), b.s("beta")))
		}},
		{name: "Add", slices: []string{"dst", "x", "y"}, unroll: 2, body: func(b *body) { b.out("dst", b.add(b.in("x"), b.in("y"))) }},
		{name: "Mul", slices: []string{"dst", "x", "y"}, unroll: 2, body: func(b *body) { b.out("dst", b.mul(b.in("x"), b.in("y"))) }},
		{name: "MulAdd", slices: []string{"dst", "x", "y"}, unroll: 2, body: func(b *body) {
			b.out("dst", b.add(b.in("dst"), b.mul(b.in("x"), b.in("y"))))
		}},
		{name: "Div", slices: []string{"dst", "x", "y"}, unroll: 2, body: func(b *body) { b.out("dst", b.div(b.in("x"), b.in("y"))) }},
	}
	list = append(list, maps()...)
	list = append(list, gates()...)
	list = append(list, norms()...)
	list = append(list, optimizers()...)
	for _, l := range list {
		l.build()
	}
	return list
}

// maps are functions of one variable, and their derivatives times a cotangent.
func maps() []*loop {
	forward := func(name string, f func(b *body, x int) int) *loop {
		return &loop{name: name, slices: []string{"dst", "x"}, body: func(b *body) { b.out("dst", f(b, b.in("x"))) }}
	}
	gradient := func(name string, f func(b *body, x int) int) *loop {
		return &loop{name: name, slices: []string{"dx", "x", "dy"}, body: func(b *body) { b.out("dx", b.mul(f(b, b.in("x")), b.in("dy"))) }}
	}
	return []*loop{
		forward("Exp", (*body).exp),
		forward("Log", (*body).log),
		forward("Sigmoid", (*body).sigmoid),
		forward("Tanh", (*body).tanh),
		forward("Softplus", (*body).softplus),
		forward("GELU", func(b *body, x int) int { cdf, _ := b.normal(x); return b.mul(x, cdf) }),
		forward("SiLU", func(b *body, x int) int { return b.mul(x, b.sigmoid(x)) }),
		forward("ReLU", func(b *body, x int) int { return b.choose(b.atMostEq(x, b.c(0)), b.c(0), x) }),
		gradient("ExpGrad", (*body).exp),
		gradient("SigmoidGrad", (*body).bell),
		gradient("TanhGrad", func(b *body, x int) int { return b.mul(b.c(4), b.bell(b.add(x, x))) }),
		gradient("SoftplusGrad", (*body).sigmoid),
		gradient("GELUGrad", func(b *body, x int) int { _, d := b.gelu(x); return d }),
		gradient("SiLUGrad", func(b *body, x int) int { _, d := b.silu(x); return d }),
		{name: "ReLUGrad", slices: []string{"dx", "x", "dy"}, unroll: 2, body: func(b *body) {
			b.out("dx", b.choose(b.atMostEq(b.in("x"), b.c(0)), b.c(0), b.in("dy")))
		}},
	}
}

// gelu is x*Phi(x) and its derivative Phi(x) + x*phi(x).
func (b *body) gelu(x int) (y, d int) {
	cdf, e := b.normal(x)
	return b.mul(x, cdf), b.fma(b.mul(x, b.c(0.3989422804014327)), e, cdf)
}

// silu is x*sigmoid(x) and its derivative.
func (b *body) silu(x int) (y, d int) {
	s := b.sigmoid(x)
	y = b.mul(x, s)
	return y, b.add(s, b.mul(y, b.sub(b.c(1), s)))
}

// gates are activations between two products, scaled by row, and their gradients with that of the scale.
func gates() []*loop {
	return []*loop{
		{name: "SiluMul", slices: []string{"a", "gate", "u"}, scalars: []string{"s"}, body: func(b *body) {
			y := b.mul(b.in("gate"), b.sigmoid(b.in("gate")))
			b.out("a", b.mul(b.mul(b.s("s"), y), b.in("u")))
		}},
		{name: "SiluMulGrad", slices: []string{"dg", "du", "gate", "u", "da"}, scalars: []string{"s"}, body: func(b *body) {
			y, dy := b.silu(b.in("gate"))
			b.sum(b.mul(b.mul(b.in("da"), y), b.in("u")))
			d := b.mul(b.s("s"), b.in("da"))
			b.out("dg", b.mul(b.mul(d, b.in("u")), dy))
			b.out("du", b.mul(d, y))
		}},
		{name: "ReLUGateGrad", slices: []string{"dh", "h", "da"}, scalars: []string{"s"}, body: func(b *body) {
			h, da := b.in("h"), b.in("da")
			none := b.atMostEq(h, b.c(0))
			b.sum(b.mul(da, b.choose(none, b.c(0), h)))
			b.out("dh", b.mul(b.s("s"), b.choose(none, b.c(0), da)))
		}},
		{name: "GELUGate", slices: []string{"a", "h"}, scalars: []string{"s"}, body: func(b *body) {
			y, _ := b.gelu(b.in("h"))
			b.out("a", b.mul(b.s("s"), y))
		}},
		{name: "GELUGateGrad", slices: []string{"dh", "h", "da"}, scalars: []string{"s"}, body: func(b *body) {
			y, dy := b.gelu(b.in("h"))
			da := b.in("da")
			b.sum(b.mul(da, y))
			b.out("dh", b.mul(b.mul(b.s("s"), dy), da))
		}},
	}
}

// mix is dst = a*x + b*y + ..., added up in order.
func mix(name string, slices ...string) *loop {
	scalars := []string{"alpha", "beta", "gamma", "delta"}[:len(slices)]
	return &loop{name: name, slices: append([]string{"dst"}, slices...), scalars: scalars, body: func(b *body) {
		v := b.mul(b.s(scalars[0]), b.in(slices[0]))
		for i := 1; i < len(slices); i++ {
			v = b.add(v, b.mul(b.s(scalars[i]), b.in(slices[i])))
		}
		b.out("dst", v)
	}}
}

// inners are inner products of several rows at once, each as Inner has it, for targets with registers enough.
func inners() []*loop {
	rows := []string{"x0", "x1", "x2", "x3"}
	list := []*loop{
		{name: "Inner4", slices: rows, unroll: 2, body: func(b *body) {
			for i := range rows {
				for j := range i + 1 {
					b.sum(b.mul(b.in(rows[i]), b.in(rows[j])))
				}
			}
		}},
		{name: "Inner4x2", slices: append(rows, "y0", "y1"), unroll: 2, body: func(b *body) {
			for i := range rows {
				b.sum(b.mul(b.in(rows[i]), b.in("y0")))
				b.sum(b.mul(b.in(rows[i]), b.in("y1")))
			}
		}},
	}
	for _, l := range list {
		l.build()
	}
	return list
}

// halves are gates whose operands lie in memory as bfloat16: to the bits of the loops over float32 with rounding before and after.
func halves() []*loop {
	grad := func(name string, again bool) *loop {
		slices, n := []string{"dg", "du", "gate", "u", "da"}, 4
		if again {
			slices, n = []string{"dg", "du", "a", "gate", "u", "da"}, 5
		}
		return &loop{name: name, slices: slices, halves: n, scalars: []string{"s"}, body: func(b *body) {
			y, dy := b.silu(b.inHalf("gate"))
			u, da := b.inHalf("u"), b.in("da")
			b.sum(b.mul(b.mul(da, y), u))
			d := b.mul(b.s("s"), da)
			b.outHalf("dg", b.halfOf(b.mul(b.mul(d, u), dy)))
			b.outHalf("du", b.halfOf(b.mul(d, y)))
			if again {
				b.outHalf("a", b.halfOf(b.mul(b.mul(b.s("s"), y), u)))
			}
		}}
	}
	list := []*loop{
		{name: "SiluHalf", slices: []string{"a", "hg", "hu", "gate", "u"}, halves: 3, body: func(b *body) {
			g, u := b.halfOf(b.in("gate")), b.halfOf(b.in("u"))
			b.outHalf("hg", g)
			b.outHalf("hu", u)
			g, u = b.shiftL(g, 16), b.shiftL(u, 16)
			b.outHalf("a", b.halfOf(b.mul(b.mul(g, b.sigmoid(g)), u)))
		}},
		grad("SiluHalfGrad", false),
		grad("SiluHalfGradMul", true),
	}
	for _, l := range list {
		l.build()
	}
	return list
}

func norms() []*loop {
	list := []*loop{
		{name: "BCE", slices: []string{"dx", "x", "y"}, scalars: []string{"s"}, body: func(b *body) {
			x, y := b.in("x"), b.in("y")
			z := b.exp(b.negative(b.size(x)))
			one := b.div(b.c(1), b.add(z, b.c(1)))
			below, given := b.less(x, b.c(0)), b.atMostEq(y, y)
			p := b.choose(below, b.mul(z, one), one)
			b.out("dx", b.choose(given, b.mul(b.s("s"), b.sub(p, y)), b.c(0)))
			l := b.sub(b.softplusOf(x, z), b.mul(x, y))
			b.sum(b.choose(given, l, b.c(0)))
		}},
		{name: "ScaleMul", slices: []string{"dst", "x", "w"}, scalars: []string{"alpha"}, unroll: 2, body: func(b *body) {
			b.out("dst", b.mul(b.mul(b.in("x"), b.s("alpha")), b.in("w")))
		}},
		{name: "Normalize", slices: []string{"dst", "x"}, scalars: []string{"mean", "r"}, unroll: 2, body: func(b *body) {
			b.out("dst", b.mul(b.sub(b.in("x"), b.s("mean")), b.s("r")))
		}},
		{name: "NormalizeMulAdd", slices: []string{"dst", "x", "w", "bias"}, scalars: []string{"mean", "r"}, body: func(b *body) {
			b.out("dst", b.add(b.mul(b.mul(b.sub(b.in("x"), b.s("mean")), b.s("r")), b.in("w")), b.in("bias")))
		}},
		{name: "NormGradW", slices: []string{"dw", "x", "dy"}, scalars: []string{"mean", "r"}, body: func(b *body) {
			b.out("dw", b.add(b.in("dw"), b.mul(b.in("dy"), b.mul(b.sub(b.in("x"), b.s("mean")), b.s("r")))))
		}},
		{name: "NormSums", slices: []string{"x", "h"}, scalars: []string{"mean", "r"}, unroll: 2, body: func(b *body) {
			b.sum(b.in("h"))
			b.sum(b.mul(b.in("h"), b.mul(b.sub(b.in("x"), b.s("mean")), b.s("r"))))
		}},
		{name: "ExpSum", slices: []string{"dst", "x"}, scalars: []string{"top"}, body: func(b *body) {
			y := b.exp(b.sub(b.in("x"), b.s("top")))
			b.out("dst", y)
			b.sum(y)
		}},
	}
	for _, add := range []bool{false, true} {
		put := func(b *body, name string, v int) {
			if add {
				v = b.add(v, b.in(name))
			}
			b.out(name, v)
		}
		suffix := ""
		if add {
			suffix = "Add"
		}
		list = append(list, &loop{name: "NormGrad" + suffix, slices: []string{"dx", "x", "h"}, scalars: []string{"mean", "r", "c", "k"}, body: func(b *body) {
			t := b.sub(b.sub(b.in("h"), b.s("c")), b.mul(b.sub(b.in("x"), b.s("mean")), b.s("k")))
			put(b, "dx", b.mul(b.s("r"), t))
		}}, &loop{name: "NormGradMul" + suffix, slices: []string{"dx", "x", "dy", "w"}, scalars: []string{"r", "k"}, body: func(b *body) {
			put(b, "dx", b.mul(b.s("r"), b.sub(b.mul(b.in("dy"), b.in("w")), b.mul(b.in("x"), b.s("k")))))
		}}, &loop{name: "SoftmaxGrad" + suffix, slices: []string{"dx", "p", "dy"}, scalars: []string{"inner"}, body: func(b *body) {
			put(b, "dx", b.mul(b.in("p"), b.sub(b.in("dy"), b.s("inner"))))
		}})
	}
	return list
}

func optimizers() []*loop {
	sgd := []string{"Scale", "Decay", "LR", "Momentum", "Take"}
	grad := func(b *body) int { return b.add(b.mul(b.s("Scale"), b.in("grad")), b.mul(b.s("Decay"), b.in("p"))) }
	step := func(b *body, d int) { b.out("p", b.sub(b.in("p"), b.mul(b.s("LR"), d))) }
	momentum := func(b *body) (m, x int) {
		x = grad(b)
		m = b.add(b.mul(b.s("Momentum"), b.in("m")), b.mul(b.s("Take"), x))
		b.out("m", m)
		return m, x
	}
	return []*loop{
		{name: "Adam", slices: []string{"p", "grad", "m", "v"}, record: "AdamStep",
			scalars: []string{"Scale", "L2", "B1", "NB1", "B2", "NB2", "Keep", "Rate", "Root", "Eps"}, body: func(b *body) {
				x := b.add(b.mul(b.s("Scale"), b.in("grad")), b.mul(b.s("L2"), b.in("p")))
				m := b.add(b.mul(b.s("B1"), b.in("m")), b.mul(b.s("NB1"), x))
				b.out("m", m)
				v := b.add(b.mul(b.s("B2"), b.in("v")), b.mul(b.mul(b.s("NB2"), x), x))
				b.out("v", v)
				root := b.add(b.mul(b.sqrt(v), b.s("Root")), b.s("Eps"))
				b.out("p", b.sub(b.mul(b.s("Keep"), b.in("p")), b.div(b.mul(b.s("Rate"), m), root)))
			}},
		{name: "SGD", slices: []string{"p", "grad"}, record: "SGDStep", scalars: sgd, unroll: 2, body: func(b *body) { step(b, grad(b)) }},
		{name: "SGDMomentum", slices: []string{"p", "grad", "m"}, record: "SGDStep", scalars: sgd, body: func(b *body) {
			m, _ := momentum(b)
			step(b, m)
		}},
		{name: "SGDNesterov", slices: []string{"p", "grad", "m"}, record: "SGDStep", scalars: sgd, body: func(b *body) {
			m, x := momentum(b)
			step(b, b.add(x, b.mul(b.s("Momentum"), m)))
		}},
		{name: "Lion", slices: []string{"p", "grad", "m"}, record: "LionStep", scalars: []string{"Scale", "B1", "NB1", "B2", "NB2", "LR", "Decay"},
			body: func(b *body) {
				x := b.mul(b.s("Scale"), b.in("grad"))
				m := b.in("m")
				u := b.add(b.mul(b.s("B1"), m), b.mul(b.s("NB1"), x))
				sign := b.choose(b.less(b.c(0), u), b.c(1), b.choose(b.less(u, b.c(0)), b.c(-1), u)) // 0 and NaN stay
				b.out("p", b.sub(b.in("p"), b.mul(b.s("LR"), b.add(sign, b.mul(b.s("Decay"), b.in("p"))))))
				b.out("m", b.add(b.mul(b.s("B2"), m), b.mul(b.s("NB2"), x)))
			}},
	}
}
