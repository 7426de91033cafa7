package cpu

import (
	"math"

	"artel/kernels"
)

// listPresent sets b.tasks to the tasks that are present.
func (b *backend) listPresent(present []int32) {
	b.tasks = b.tasks[:0]
	for t, p := range present {
		if p != 0 {
			b.tasks = append(b.tasks, t)
		}
	}
}

// gramBlocks fills the lower triangle of every block: four rows at a time are read together where there are registers for that, so that memory is read
// once and in few streams. A pair of rows has the same bits in any company.
func (b *backend) gramBlocks(a *kernels.Gram, lo, hi int) {
	j := matrix(a.J)
	m := j.n
	for i := lo; i < hi; i++ {
		c0, c1 := cut(i, j.cols)
		out := b.sums[i*m*m : (i+1)*m*m]
		row := func(t int) []float32 { return j.row(t)[c0:c1] }
		put := func(s, t int, v float32) { out[s*m+t] = wide(v, row(s), row(t)) }
		for n := 0; n < len(b.tasks); n += 4 {
			group := b.tasks[n:min(n+4, len(b.tasks))]
			if len(group) < 4 || b.vec.Inner4 == nil {
				for k, s := range group {
					for _, t := range b.tasks[:n+k+1] {
						put(s, t, b.vec.Inner(row(s), row(t)))
					}
				}
				continue
			}
			var v [10]float32
			r0, r1, r2, r3 := row(group[0]), row(group[1]), row(group[2]), row(group[3])
			v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9] = b.vec.Inner4(r0, r1, r2, r3)
			at := 0
			for k, s := range group {
				for _, t := range group[:k+1] {
					put(s, t, v[at])
					at++
				}
			}
			for e := 0; e < n; e += 2 {
				x, y := b.tasks[e], b.tasks[e+1]
				v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7] = b.vec.Inner4x2(r0, r1, r2, r3, row(x), row(y))
				for k, s := range group {
					put(s, x, v[2*k])
					put(s, y, v[2*k+1])
				}
			}
		}
	}
}

// addGram adds the blocks' sums, in order, to both halves of G.
func (b *backend) addGram(a kernels.Gram, n int) {
	m := a.J.Dim(0)
	g, ld := a.G.F64(), a.G.Stride(0)
	for k, s := range b.tasks {
		for _, t := range b.tasks[:k+1] {
			var sum float64
			for i := range n {
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
	j, k := matrix(a.J), matrix(a.K)
	m := j.n
	for i := lo; i < hi; i++ {
		c0, c1 := cut(i, j.cols)
		out := b.sums[i*m*m : (i+1)*m*m]
		for _, s := range b.tasks {
			x := j.row(s)[c0:c1]
			for _, t := range b.tasks {
				y := k.row(t)[c0:c1]
				out[s*m+t] = wide(b.vec.Inner(x, y), x, y)
			}
		}
	}
}

// addCrossGram adds the blocks' sums, in order.
func (b *backend) addCrossGram(a kernels.CrossGram, n int) {
	m := a.J.Dim(0)
	g, ld := a.G.F64(), a.G.Stride(0)
	for _, s := range b.tasks {
		for _, t := range b.tasks {
			for i := range n {
				g[s*ld+t] += b.sums[(i*m+s)*m+t]
			}
		}
	}
}

// wide is an inner product that float32 need not hold: where the fast sum v overflows, or is so small that products may have vanished, it is done
// again in float64.
func wide(v float32, x, y []float32) float64 {
	const tiny, huge = 1e-20, 1e38
	s := float64(v)
	if size := math.Abs(s); size > tiny && size < huge {
		return s
	}
	s = 0
	for i, v := range x {
		s += float64(v) * float64(y[i])
	}
	return s
}

func (b *backend) dot64(x, y []float32) float64 { return wide(b.vec.Dot(x, y), x, y) }

func (b *backend) combineBlocks(a *kernels.Combine, lo, hi int) {
	j, w, dst := matrix(a.J), a.W.F64(), floats(a.Dst)
	lent := b.scratch.take()
	defer b.scratch.giveBack(lent)
	for i := lo; i < hi; i++ {
		c0, c1 := cut(i, len(dst))
		d := dst[c0:c1]
		sum := terms{dst: d}
		if len(b.tasks) > 4 {
			sum.dst = lent.Buffer()[:len(d)] // dst may be a row of J that is still to be read
		}
		for _, t := range b.tasks {
			sum.term(b, j.row(t)[c0:c1], float32(w[t]))
		}
		sum.end(b)
		if len(b.tasks) > 4 {
			copy(d, sum.dst)
		}
		if a.SumSq.Ok() {
			b.sums[i] = b.dot64(d, d)
		}
	}
}
