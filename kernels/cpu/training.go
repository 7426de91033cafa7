package cpu

import (
	"math"

	"artel/kernels"
	"artel/kernels/cpu/internal/vec"
	"artel/kernels/internal/host"
)

// block is the number of columns that one partial sum covers; it fixes the order of summation.
const block = 2048

func (b *backend) training() kernels.Training {
	gram, cross := newLoop(b.gramBlocks), newLoop(b.crossGramBlocks)
	combine := newLoop(b.combineBlocks)
	squares, sgd, adam, lion := newLoop(b.squareBlocks), newLoop(b.sgdRange), newLoop(b.adamRange), newLoop(b.lionRange)
	return kernels.Training{
		Gram: func(a kernels.Gram) {
			m, n := a.J.Dim(0), blocks(a.J.Dim(1))
			b.sums = grown(b.sums, n*m*m)
			gram.call(b.pool, a, n, m*block)
			b.addGram(a, n)
		},
		CrossGram: func(a kernels.CrossGram) {
			m, n := a.J.Dim(0), blocks(a.J.Dim(1))
			b.sums = grown(b.sums, n*m*m)
			cross.call(b.pool, a, n, 2*m*block)
			b.addCrossGram(a, n)
		},
		Combine: func(a kernels.Combine) {
			n := blocks(a.Dst.Dim(0))
			b.sums = grown(b.sums, n)
			combine.call(b.pool, a, n, a.J.Dim(0)*block)
			if a.SumSq.Ok() {
				addSums(a.SumSq.F64(), b.sums)
			}
		},
		SumSquares: func(a kernels.SumSquares) {
			n := blocks(a.X.Dim(0))
			b.sums = grown(b.sums, n)
			squares.call(b.pool, a, n, block)
			addSums(a.Dst.F64(), b.sums)
		},
		SGD: func(a kernels.SGD) {
			var ok bool
			if a.Scale, ok = host.Times(a.Scale, a.By); !ok {
				return
			}
			b.sgd = sgdStep(&a)
			sgd.call(b.pool, a, a.P.Dim(0), 1)
		},
		Adam: func(a kernels.Adam) {
			var ok bool
			if a.Scale, ok = host.Times(a.Scale, a.By); !ok {
				return
			}
			b.adam = adamStep(&a)
			adam.call(b.pool, a, a.P.Dim(0), 1)
		},
		Lion: func(a kernels.Lion) {
			var ok bool
			if a.Scale, ok = host.Times(a.Scale, a.By); !ok {
				return
			}
			b.lion = vec.LionStep{Scale: float32(a.Scale), B1: float32(a.Beta1), NB1: float32(1 - a.Beta1), B2: float32(a.Beta2), NB2: float32(1 - a.Beta2),
				LR: float32(a.LR), Decay: float32(a.Decay)}
			lion.call(b.pool, a, a.P.Dim(0), 1)
		},
	}
}

func blocks(n int) int { return (n + block - 1) / block }

// cut returns columns of block i of a row of n.
func cut(i, n int) (lo, hi int) { return i * block, min((i+1)*block, n) }

func addSums(dst, sums []float64) {
	for _, v := range sums {
		dst[0] += v
	}
}

// dot64 is an inner product that float32 need not hold: where the fast sum overflows, or is so small that products may have vanished,
// it is done again in float64.
func (b *backend) dot64(x, y []float32) float64 {
	const tiny, huge = 1e-20, 1e38
	s := float64(b.vec.Dot(x, y))
	if size := math.Abs(s); size > tiny && size < huge {
		return s
	}
	s = 0
	for i, v := range x {
		s += float64(v) * float64(y[i])
	}
	return s
}

func (b *backend) gramBlocks(a *kernels.Gram, lo, hi int) {
	j, present := matrix(a.J), ints(a.Present)
	m := j.n
	for i := lo; i < hi; i++ {
		c0, c1 := cut(i, j.cols)
		out := b.sums[i*m*m : (i+1)*m*m]
		for s := 0; s < m; s++ {
			if present[s] == 0 {
				continue
			}
			x := j.row(s)[c0:c1]
			for t := 0; t <= s; t++ {
				if present[t] != 0 {
					out[s*m+t] = b.dot64(x, j.row(t)[c0:c1])
				}
			}
		}
	}
}

// addGram adds the blocks' sums, in order, to both halves of G.
func (b *backend) addGram(a kernels.Gram, n int) {
	m, present := a.J.Dim(0), ints(a.Present)
	g, ld := a.G.F64(), a.G.Stride(0)
	for s := 0; s < m; s++ {
		for t := 0; t <= s; t++ {
			if present[s] == 0 || present[t] == 0 {
				continue
			}
			var sum float64
			for i := 0; i < n; i++ {
				sum += b.sums[(i*m+s)*m+t]
			}
			g[s*ld+t] += sum
			if s != t {
				g[t*ld+s] += sum
			}
		}
	}
}

func (b *backend) crossGramBlocks(a *kernels.CrossGram, lo, hi int) {
	j, k, present := matrix(a.J), matrix(a.K), ints(a.Present)
	m := j.n
	for i := lo; i < hi; i++ {
		c0, c1 := cut(i, j.cols)
		out := b.sums[i*m*m : (i+1)*m*m]
		for s := 0; s < m; s++ {
			for t := 0; t < m && present[s] != 0; t++ {
				if present[t] != 0 {
					out[s*m+t] = b.dot64(j.row(s)[c0:c1], k.row(t)[c0:c1])
				}
			}
		}
	}
}

// addCrossGram adds the blocks' sums, in order.
func (b *backend) addCrossGram(a kernels.CrossGram, n int) {
	m, present := a.J.Dim(0), ints(a.Present)
	g, ld := a.G.F64(), a.G.Stride(0)
	for s := 0; s < m; s++ {
		for t := 0; t < m; t++ {
			if present[s] == 0 || present[t] == 0 {
				continue
			}
			for i := 0; i < n; i++ {
				g[s*ld+t] += b.sums[(i*m+s)*m+t]
			}
		}
	}
}

func (b *backend) combineBlocks(a *kernels.Combine, lo, hi int) {
	j, present, w, dst := matrix(a.J), ints(a.Present), a.W.F64(), floats(a.Dst)
	lent := b.scratch.take()
	defer b.scratch.giveBack(lent)
	for i := lo; i < hi; i++ {
		c0, c1 := cut(i, len(dst))
		d := dst[c0:c1]
		acc := lent.Buffer()[:len(d)] // dst may be a row of J
		b.combineInto(acc, j, c0, c1, present, w)
		copy(d, acc)
		b.sums[i] = b.dot64(d, d)
	}
}

// combineInto is acc = sum of w[t] * row t over the present tasks, columns c0 to c1: two tasks at a time, in their order.
func (b *backend) combineInto(acc []float32, j rows, c0, c1 int, present []int32, w []float64) {
	first, waiting := true, -1
	for t := range j.n {
		switch {
		case present[t] == 0:
		case first:
			b.vec.Scale(acc, j.row(t)[c0:c1], float32(w[t]))
			first = false
		case waiting < 0:
			waiting = t
		default:
			b.vec.Axpy2(acc, j.row(waiting)[c0:c1], j.row(t)[c0:c1], float32(w[waiting]), float32(w[t]))
			waiting = -1
		}
	}
	if first {
		clear(acc)
	}
	if waiting >= 0 {
		b.vec.Axpy(acc, j.row(waiting)[c0:c1], float32(w[waiting]))
	}
}

func (b *backend) squareBlocks(a *kernels.SumSquares, lo, hi int) {
	x := floats(a.X)
	for i := lo; i < hi; i++ {
		c0, c1 := cut(i, len(x))
		b.sums[i] = b.dot64(x[c0:c1], x[c0:c1])
	}
}

// sgdStep computes the constants of a step once. The first step has no momentum yet.
func sgdStep(a *kernels.SGD) vec.SGDStep {
	c := vec.SGDStep{Scale: float32(a.Scale), Decay: float32(a.Decay), LR: float32(a.LR), Momentum: float32(a.Momentum), Take: float32(1 - a.Dampening)}
	if a.First {
		c.Take = 1
	}
	return c
}

func (b *backend) sgdRange(a *kernels.SGD, lo, hi int) {
	p, g := floats(a.P)[lo:hi], floats(a.G)[lo:hi]
	if !a.M.Ok() {
		b.vec.SGD(p, g, &b.sgd)
		return
	}
	m := floats(a.M)[lo:hi]
	if a.First {
		clear(m)
	}
	if a.Nesterov {
		b.vec.SGDNesterov(p, g, m, &b.sgd)
	} else {
		b.vec.SGDMomentum(p, g, m, &b.sgd)
	}
}

// adamStep computes the constants of a step once.
func adamStep(a *kernels.Adam) vec.AdamStep {
	c := vec.AdamStep{
		Scale: float32(a.Scale), B1: float32(a.Beta1), NB1: float32(1 - a.Beta1), B2: float32(a.Beta2), NB2: float32(1 - a.Beta2),
		Keep: 1, Rate: float32(a.LR / (1 - math.Pow(a.Beta1, float64(a.Step)))),
		Root: float32(1 / math.Sqrt(1-math.Pow(a.Beta2, float64(a.Step)))), Eps: float32(a.Eps),
	}
	if a.Decoupled {
		c.Keep = float32(1 - a.LR*a.Decay)
	} else {
		c.L2 = float32(a.Decay)
	}
	return c
}

func (b *backend) adamRange(a *kernels.Adam, lo, hi int) {
	b.vec.Adam(floats(a.P)[lo:hi], floats(a.G)[lo:hi], floats(a.M)[lo:hi], floats(a.V)[lo:hi], &b.adam)
}

func (b *backend) lionRange(a *kernels.Lion, lo, hi int) {
	b.vec.Lion(floats(a.P)[lo:hi], floats(a.G)[lo:hi], floats(a.M)[lo:hi], &b.lion)
}
