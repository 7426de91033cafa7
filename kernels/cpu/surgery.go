package cpu

import (
	"math"

	"artel/kernels"
	"artel/rng"
)

func (b *backend) surgery() kernels.Surgery {
	drop, trimmed, track, excess := newLoop(b.gradDropBlocks), newLoop(b.trimmedBlocks), newLoop(b.trackBlocks), newLoop(b.excessBlocks)
	mask, choose, salient := newLoop(maskBlocks), newLoop(selectRange), newLoop(b.saliencyWindows)
	cells := b.newCellGram()
	return kernels.Surgery{
		GradDrop: func(a kernels.GradDrop) {
			n := blocks(a.Dst.Dim(0))
			b.sums = grown(b.sums, n)
			drop.call(b.pool, a, n, 8*block)
			if a.SumSq.Ok() {
				addSums(a.SumSq.F64(), b.sums)
			}
		},
		TrimmedMean: func(a kernels.TrimmedMean) {
			n := blocks(a.Dst.Dim(0))
			b.sums = grown(b.sums, n)
			trimmed.call(b.pool, a, n, 8*block)
			if a.SumSq.Ok() {
				addSums(a.SumSq.F64(), b.sums)
			}
		},
		Track: func(a kernels.Track) { track.call(b.pool, a, blocks(a.Y.Dim(1)), a.Y.Dim(0)*block) },
		Excess: func(a kernels.Excess) {
			m, n := a.J.Dim(0), blocks(a.J.Dim(1))
			b.sums = grown(b.sums, n*m)
			excess.call(b.pool, a, n, 8*m*block)
			dst, present := a.Dst.F64(), ints(a.Present)
			for t := range m {
				for i := 0; i < n && present[t] != 0; i++ {
					dst[t] += b.sums[i*m+t]
				}
			}
		},
		MaskRows: func(a kernels.MaskRows) { mask.call(b.pool, a, blocks(a.J.Dim(1)), a.J.Dim(0)*block) },
		Select:   func(a kernels.Select) { choose.call(b.pool, a, a.Dst.Dim(0), 1) },
		CellGram: cells.run,
		Saliency: func(a kernels.Saliency) { b.saliency(a, salient) },
	}
}

func (b *backend) gradDropBlocks(a *kernels.GradDrop, lo, hi int) {
	j, present, leak, dst := matrix(a.J), ints(a.Present), a.Leak.F64(), floats(a.Dst)
	for i := lo; i < hi; i++ {
		c0, c1 := cut(i, len(dst))
		for p := c0; p < c1; p++ {
			words := rng.Philox(a.Key, a.Hi, uint64(a.Offset+p)/4)
			u := float64(words[(a.Offset+p)%4]) * 0x1p-32
			var sum, size float64
			for t := 0; t < j.n; t++ {
				if present[t] != 0 {
					v := float64(j.p[t*j.ld+p])
					sum += v
					size += math.Abs(v)
				}
			}
			q := 0.5
			if size != 0 {
				q = (1 + sum/size) / 2
			}
			var out float64
			for t := 0; t < j.n; t++ {
				if present[t] == 0 {
					continue
				}
				v := float64(j.p[t*j.ld+p])
				keep := leak[t]
				if q > u && v > 0 || q < u && v < 0 || v != v {
					keep = 1
				}
				out += keep * v
			}
			dst[p] = float32(out)
		}
		b.sums[i] = b.dot64(dst[c0:c1], dst[c0:c1])
	}
}

// maxTasks is the most tasks that a column rule takes; package gradsurgery has the same limit.
const maxTasks = 64

func (b *backend) trimmedBlocks(a *kernels.TrimmedMean, lo, hi int) {
	j, present, dst := matrix(a.J), ints(a.Present), floats(a.Dst)
	var column [maxTasks]float32
	for i := lo; i < hi; i++ {
		c0, c1 := cut(i, len(dst))
		for p := c0; p < c1; p++ {
			m, bad := 0, false
			for t := 0; t < j.n; t++ {
				if present[t] == 0 {
					continue
				}
				v := j.p[t*j.ld+p]
				bad = bad || v != v
				at := m // insertion sort: m is small
				for ; at > 0 && column[at-1] > v; at-- {
					column[at] = column[at-1]
				}
				column[at] = v
				m++
			}
			switch {
			case m == 0:
				dst[p] = 0
			case bad:
				dst[p] = float32(math.NaN())
			default:
				k := min(a.Trim, (m-1)/2)
				var sum float64
				for _, v := range column[k : m-k] {
					sum += float64(v)
				}
				dst[p] = float32(sum / float64(m-2*k))
			}
		}
		b.sums[i] = b.dot64(dst[c0:c1], dst[c0:c1])
	}
}

func (b *backend) trackBlocks(a *kernels.Track, lo, hi int) {
	y, j, present, keep, take := matrix(a.Y), matrix(a.J), ints(a.Present), a.Keep.F64(), a.Take.F64()
	for i := lo; i < hi; i++ {
		c0, c1 := cut(i, y.cols)
		for t := 0; t < y.n; t++ {
			row := y.row(t)[c0:c1]
			add := present[t] != 0 && take[t] != 0
			if keep[t] != 1 {
				b.vec.Scale(row, row, float32(keep[t]))
			}
			if add {
				b.vec.Axpy(row, j.row(t)[c0:c1], float32(take[t]))
			}
		}
	}
}

func (b *backend) excessBlocks(a *kernels.Excess, lo, hi int) {
	s, j, present := matrix(a.S), matrix(a.J), ints(a.Present)
	for i := lo; i < hi; i++ {
		c0, c1 := cut(i, s.cols)
		for t := 0; t < s.n; t++ {
			if present[t] == 0 {
				continue
			}
			sums, g := s.row(t)[c0:c1], j.row(t)[c0:c1]
			var total float64
			for p, v := range g {
				sq := v * v
				sums[p] += sq
				total += float64(sq) / math.Sqrt(float64(sums[p])+a.Eps)
			}
			b.sums[i*s.n+t] = total
		}
	}
}

func maskBlocks(a *kernels.MaskRows, lo, hi int) {
	j, mask, present := matrix(a.J), ints(a.Mask), ints(a.Present)
	for i := lo; i < hi; i++ {
		c0, c1 := cut(i, j.cols)
		for t := 0; t < j.n; t++ {
			if present[t] == 0 {
				continue
			}
			row := j.row(t)[c0:c1]
			for p, keep := range mask[c0:c1] {
				if keep == 0 {
					row[p] = 0
				}
			}
		}
	}
}

func selectRange(a *kernels.Select, lo, hi int) {
	dst, src, mask := floats(a.Dst)[lo:hi], floats(a.Src)[lo:hi], ints(a.Mask)[lo:hi]
	for p, keep := range mask {
		if keep == 0 {
			dst[p] = src[p]
		}
	}
}
