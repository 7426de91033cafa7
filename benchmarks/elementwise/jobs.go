package main

import (
	"fmt"

	"artel/dtype"
	"artel/kernels"
	"artel/rng"
	"artel/tensor"
)

// groups makes the jobs, a few at a time for the sake of memory.
var groups = []func(be *kernels.Backend) []*job{maps, gates, norms, losses, routing, training, tasks}

// Sizes of shape A of the layer benchmark, and of the parameters of the step benchmark.
const (
	rows, width, hidden = 4096, 512, 1024
	experts, picks      = 16, 2
	params              = 12 << 20
)

func random(shape ...int) tensor.Tensor {
	x := tensor.New(dtype.F32, shape...)
	s := rng.New(uint64(x.Len()))
	for i := range x.F32() {
		x.F32()[i] = float32(s.Normal())
	}
	return x
}

func positive(shape ...int) tensor.Tensor {
	x := random(shape...)
	for i, v := range x.F32() {
		x.F32()[i] = v*v + 1e-3
	}
	return x
}

func indices(n, below int) tensor.Tensor {
	s, v := rng.New(uint64(n)), make([]int32, n)
	for i := range v {
		v[i] = int32(s.Intn(below))
	}
	return tensor.FromI32(v, n)
}

// size is the bytes of tensors.
func size(x ...tensor.Tensor) (n float64) {
	for _, t := range x {
		n += float64(t.Len() * t.Type.Size())
	}
	return n
}

func maps(be *kernels.Backend) (jobs []*job) {
	x, y, z := random(rows, width), random(rows, width), random(rows, width)
	pos := positive(rows, width)
	for _, f := range []kernels.Unary{kernels.ReLU, kernels.GELU, kernels.SiLU, kernels.Sigmoid, kernels.Tanh, kernels.Exp, kernels.Log, kernels.Softplus} {
		src := x
		if f == kernels.Log {
			src = pos
		}
		jobs = append(jobs, &job{name: f.String(), bytes: size(x, y), run: func() { be.Map(kernels.Map{Dst: y, X: src, F: f}) }})
	}
	for _, f := range []kernels.Unary{kernels.ReLU, kernels.GELU, kernels.SiLU, kernels.Tanh} {
		jobs = append(jobs, &job{name: f.String() + " backward", bytes: size(x, y, z), run: func() { be.MapGrad(kernels.MapGrad{DX: z, X: x, DY: y, F: f}) }})
	}
	keys := indices(2*rows, 1<<30).Reshape(rows, 2)
	table, row := random(8, width), indices(rows, 8)
	return append(jobs,
		&job{name: "x*y", bytes: size(x, y, z), run: func() { be.Mul(kernels.Mul{Dst: z, X: x, Y: y}) }},
		&job{name: "dst += a*x", bytes: size(x, y, y), run: func() { be.Axpy(kernels.Axpy{Dst: y, Src: x, Alpha: 1e-9, Accumulate: true}) }},
		&job{name: "x + row of a table", bytes: size(x, z), run: func() { be.AddByRow(kernels.AddByRow{Dst: z, X: x, Table: table, Row: row}) }},
		&job{name: "dropout", bytes: size(x, z), run: func() { be.Dropout(kernels.Dropout{Dst: z, X: x, Keys: keys, Key: rng.New(1), P: 0.1}) }},
	)
}

func gates(be *kernels.Backend) []*job {
	n := rows * picks
	h, dh, a, da, s, ds := random(n, 2*hidden), random(n, 2*hidden), random(n, hidden), random(n, hidden), random(n), random(n)
	g, dg := random(n, hidden), random(n, hidden)
	return []*job{
		{name: "SwiGLU", bytes: size(h, a), run: func() { be.Gated(kernels.Gated{A: a, H: h, Scale: s, Gate: kernels.SwiGLU}) }},
		{name: "SwiGLU backward", bytes: size(h, dh, da), run: func() {
			be.GatedGrad(kernels.GatedGrad{DH: dh, DScale: ds, H: h, DA: da, Scale: s, Gate: kernels.SwiGLU})
		}},
		{name: "GELU gate", bytes: size(g, a), run: func() { be.Gated(kernels.Gated{A: a, H: g, Scale: s, Gate: kernels.GELUAct}) }},
		{name: "GELU gate backward", bytes: size(g, dg, da), run: func() {
			be.GatedGrad(kernels.GatedGrad{DH: dg, DScale: ds, H: g, DA: da, Scale: s, Gate: kernels.GELUAct})
		}},
	}
}

func norms(be *kernels.Backend) []*job {
	x, y, dy, dx, w, bias, r, st := random(rows, width), random(rows, width), random(rows, width), random(rows, width), random(width), random(width), positive(rows), positive(rows, 2)
	segs, dw, touched := tensor.FromI32([]int32{0, 0, 0, 0, rows}, 1, kernels.SegCols), random(1, 1, width), tensor.FromI32([]int32{1}, 1, 1)
	return []*job{
		{name: "RMSNorm", bytes: size(x, y), run: func() { be.RMSNorm(kernels.RMSNorm{Y: y, X: x, W: w, RStd: r, Eps: 1e-5}) }},
		{name: "RMSNorm backward", bytes: size(x, dy, dx), run: func() { be.RMSNormGrad(kernels.RMSNormGrad{DX: dx, X: x, W: w, RStd: r, DY: dy}) }},
		{name: "RMSNorm weight gradient", bytes: size(x, dy), run: func() {
			be.RMSNormGrad(kernels.RMSNormGrad{X: x, W: w, RStd: r, DY: dy, Segs: segs, DstW: dw, Touched: touched})
		}},
		{name: "LayerNorm", bytes: size(x, y), run: func() { be.LayerNorm(kernels.LayerNorm{Y: y, X: x, W: w, B: bias, Stat: st, Eps: 1e-5}) }},
		{name: "LayerNorm backward", bytes: size(x, dy, dx), run: func() { be.LayerNormGrad(kernels.LayerNormGrad{DX: dx, X: x, W: w, Stat: st, DY: dy}) }},
	}
}

func losses(be *kernels.Backend) (jobs []*job) {
	loss := tensor.New(dtype.F64, 1)
	for _, v := range []int{10, experts, 1000} {
		x, y, dx, label := random(rows, v), positive(rows, v), random(rows, v), indices(rows, v)
		jobs = append(jobs,
			&job{name: fmt.Sprintf("softmax of %d", v), bytes: size(x, dx), run: func() { be.Softmax(kernels.Softmax{Y: dx, X: x}) }},
			&job{name: fmt.Sprintf("softmax of %d backward", v), bytes: size(x, y, dx), run: func() { be.SoftmaxGrad(kernels.SoftmaxGrad{DX: dx, Y: y, DY: x}) }},
			&job{name: fmt.Sprintf("cross-entropy of %d", v), bytes: size(x, dx), run: func() { be.CrossEntropy(kernels.CrossEntropy{X: x, DX: dx, Label: label, Loss: loss, Scale: 1}) }},
			&job{name: fmt.Sprintf("binary cross-entropy of %d", v), bytes: size(x, y, dx), run: func() { be.BCE(kernels.BCE{X: x, DX: dx, Target: y, Loss: loss, Scale: 1}) }},
		)
	}
	p, dp, set := positive(rows, experts), random(rows, experts), indices(rows, 4)
	count, n, weight := indices(4*experts, 99).Reshape(4, experts), tensor.FromI32([]int32{9, 9, 9, 9}, 4), random(4)
	return append(jobs,
		&job{name: "balance loss", bytes: size(p, dp), run: func() {
			be.Balance(kernels.Balance{P: p, DP: dp, Set: set, Count: count, Rows: n, Weight: weight, Loss: loss, Scale: 1})
		}},
		&job{name: "z-loss", bytes: size(p, dp), run: func() { be.ZLoss(kernels.ZLoss{X: p, DX: dp, Loss: loss, Scale: 1}) }},
	)
}

func routing(be *kernels.Backend) (jobs []*job) {
	for _, s := range []struct{ e, k int }{{experts, picks}, {64, 4}, {512, 8}} {
		x, index, value := random(rows, s.e), tensor.New(dtype.I32, rows, s.k), random(rows, s.k)
		jobs = append(jobs, &job{name: fmt.Sprintf("top-%d of %d", s.k, s.e), bytes: size(x, index, value), run: func() { be.TopK(kernels.TopK{X: x, Index: index, Value: value}) }})
	}
	src, dst, inv, w := random(rows*picks, width), random(rows, width), indices(rows*picks, rows*picks).Reshape(rows, picks), random(rows, picks)
	at := indices(rows*picks, rows)
	jobs = append(jobs,
		&job{name: "gather-sum", bytes: size(src, dst), run: func() { be.GatherSum(kernels.GatherSum{Dst: dst, Src: src, Inv: inv, W: w}) }},
		&job{name: "gather rows", bytes: 2 * size(src), run: func() { be.GatherRows(kernels.GatherRows{Dst: src, Src: dst, Index: at}) }},
	)
	return append(jobs, planning(be)...)
}

// planning makes the jobs between a choice of experts and their products, with the sizes of shapes B and C of the layer benchmark among them.
func planning(be *kernels.Backend) (jobs []*job) {
	for _, s := range []struct{ t, e, k, m int }{{rows, experts, picks, 1}, {8192, 64, 4, 1}, {8192, 64, 4, 4}, {4096, 512, 8, 4}, {4096, 512, 2, 4}} {
		for _, stacked := range []bool{false, true} {
			a := plan(s.t, s.e, s.k, s.m, stacked)
			name := fmt.Sprintf("plan of %d x %d picks, %d experts, %d tasks", s.t, s.k, s.e, s.m)
			if stacked {
				name += " that share rows"
			}
			jobs = append(jobs, &job{name: name, bytes: size(a.Index, a.Plan.Token, a.Plan.Slot, a.Plan.Inv), run: func() { be.RoutePlan(a) }})
		}
	}
	const n = 8192
	for _, k := range []int{2, 4, 8} {
		const d = 256
		src, dst, inv, w := random(n*k, d), random(n, d), indices(n*k, n*k).Reshape(n, k), random(n, k)
		jobs = append(jobs, &job{name: fmt.Sprintf("gather-sum of %d", k), bytes: size(src, dst), run: func() { be.GatherSum(kernels.GatherSum{Dst: dst, Src: src, Inv: inv, W: w}) }})
	}
	for _, k := range []int{2, 4, 8} {
		x, y, dx := positive(n, k), positive(n, k), random(n, k)
		jobs = append(jobs,
			&job{name: fmt.Sprintf("rows of %d normalized", k), bytes: size(x, y), run: func() { be.RowNormalize(kernels.RowNormalize{Y: dx, X: x}) }},
			&job{name: fmt.Sprintf("rows of %d normalized, backward", k), bytes: size(x, x, y, dx), run: func() {
				be.RowNormalizeGrad(kernels.RowNormalizeGrad{DX: dx, X: x, Y: y, DY: y})
			}},
		)
	}
	index, set, count, total := indices(4*n, 64).Reshape(n, 4), indices(n, 4), tensor.New(dtype.I32, 4, 64), tensor.New(dtype.I32, 4)
	return append(jobs, &job{name: "picks counted by task", bytes: size(index, set), run: func() {
		be.CountPicks(kernels.CountPicks{Index: index, Set: set, Count: count, Rows: total})
	}})
}

// plan is a routing of t rows to k of e experts; m tasks own the rows, or share them.
func plan(t, e, k, m int, shared bool) kernels.RoutePlan {
	ints := func(shape ...int) tensor.Tensor { return tensor.New(dtype.I32, shape...) }
	c, segs := t, ints(m, kernels.SegCols)
	for s := range m {
		n := t / m
		row := []int32{int32(s), int32(s), int32(s * n), int32(s * n), int32(n)}
		if shared {
			row = []int32{int32(s), int32(s), 0, int32(s * t), int32(t)}
		}
		copy(segs.I32()[s*kernels.SegCols:], row)
	}
	if shared {
		c = m * t
	}
	p := &kernels.Plan{T: t, K: k, E: e, C: c, Off: ints(e + 1), Token: ints(t * k), Slot: ints(t * k), Inv: ints(t, k), Count: ints(e + 1), Segs: ints(e*m, kernels.SegCols)}
	p.COff, p.CToken, p.CInv = p.Off, p.Token, p.Inv
	if shared {
		p.COff, p.CToken, p.CInv, p.CAct = ints(e+1), ints(c*k), ints(c, k), ints(c*k)
	}
	return kernels.RoutePlan{Plan: p, Index: indices(t*k, e).Reshape(t, k), TokenSegs: segs}
}

func training(be *kernels.Backend) []*job {
	p, g, m, v := random(params), random(params), random(params), positive(params)
	sq := tensor.New(dtype.F64, 1)
	return []*job{
		{name: "AdamW", bytes: size(p, p, g, m, m, v, v), run: func() {
			be.Adam(kernels.Adam{P: p, G: g, M: m, V: v, LR: 1e-9, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Scale: 1, Step: 9, Decoupled: true})
		}},
		{name: "SGD with momentum", bytes: size(p, p, g, m, m), run: func() { be.SGD(kernels.SGD{P: p, G: g, M: m, LR: 1e-9, Momentum: 0.9, Scale: 1}) }},
		{name: "SGD", bytes: size(p, p, g), run: func() { be.SGD(kernels.SGD{P: p, G: g, LR: 1e-9, Scale: 1}) }},
		{name: "Lion", bytes: size(p, p, g, m, m), run: func() { be.Lion(kernels.Lion{P: p, G: g, M: m, LR: 1e-9, Beta1: 0.9, Beta2: 0.99, Scale: 1}) }},
		{name: "sum of squares", bytes: size(g), run: func() { be.SumSquares(kernels.SumSquares{X: g, Dst: sq}) }},
	}
}

func tasks(be *kernels.Backend) (jobs []*job) {
	const n = params / 4
	for _, m := range []int{2, 4, 8} {
		j, present, gram, w, dst, sq := random(m, n), indices(m, 1), tensor.New(dtype.F64, m, m), tensor.New(dtype.F64, m), random(n), tensor.New(dtype.F64, 1)
		for t := range m {
			present.I32()[t], w.F64()[t] = 1, 0.3
		}
		jobs = append(jobs,
			&job{name: fmt.Sprintf("Gram of %d tasks", m), bytes: size(j), run: func() { be.Gram(kernels.Gram{J: j, Present: present, G: gram}) }},
			&job{name: fmt.Sprintf("combine %d tasks", m), bytes: size(j, dst), run: func() { be.Combine(kernels.Combine{Dst: dst, J: j, Present: present, W: w, SumSq: sq}) }},
		)
	}
	return jobs
}
