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
			b.listPresent(ints(a.Present))
			gram.call(b.pool, a, n, m*block)
			b.addGram(a, n)
		},
		CrossGram: func(a kernels.CrossGram) {
			m, n := a.J.Dim(0), blocks(a.J.Dim(1))
			b.sums = grown(b.sums, n*m*m)
			b.listPresent(ints(a.Present))
			cross.call(b.pool, a, n, 2*m*block)
			b.addCrossGram(a, n)
		},
		Combine: func(a kernels.Combine) {
			n := blocks(a.Dst.Dim(0))
			b.sums = grown(b.sums, n)
			b.listPresent(ints(a.Present))
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
