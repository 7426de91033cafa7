package cpu

import "artel/kernels"

// planning is a RoutePlan in the making. Tokens are cut into parts, whose picks are counted and placed apart: a stable counting sort by expert.
type planning struct {
	kernels.RoutePlan
	idx, tokens, inv, segs, cinv table
	off, token, slot             []int32
	coff, ctoken, cact           []int32 // of stacked cotangent rows
	part                         int     // tokens of a part
	next                         []int32 // [parts,E]: picks of a part by expert, then the routed row of the next one
}

// partPicks is the least number of picks of a part, and partShare how many times the experts it is: adding up the counts of parts is serial.
const partPicks, partShare = 4096, 8

func (b *backend) routePlanner() func(kernels.RoutePlan) {
	count, place, cells, fill, invert := newLoop(countPart), newLoop(placePart), newLoop(segmentCells), newLoop(fillCells), newLoop(invertCotangents)
	return func(a kernels.RoutePlan) {
		p := a.Plan
		w := planning{RoutePlan: a, idx: intMatrix(a.Index), tokens: intMatrix(a.TokenSegs), inv: intMatrix(p.Inv), segs: intMatrix(p.Segs),
			off: ints(p.Off), token: ints(p.Token), slot: ints(p.Slot)}
		w.part = max(1, max(partPicks, partShare*p.E)/max(1, p.K))
		parts := (p.T + w.part - 1) / w.part
		b.last = grown(b.last, parts*p.E)
		w.next = b.last
		count.args = w
		b.pool.Run(p.T, w.part, count.run)
		w.offsets(ints(p.Count), parts)
		place.args = w
		b.pool.Run(p.T, w.part, place.run)
		cellWork := w.tokens.n * 32
		if !p.CAct.Ok() {
			cells.call(b.pool, w, p.E, cellWork)
			return
		}
		w.coff, w.ctoken, w.cact, w.cinv = ints(p.COff), ints(p.CToken), ints(p.CAct), intMatrix(p.CInv)
		cells.call(b.pool, w, p.E, cellWork)
		w.cotangentOffsets()
		fill.call(b.pool, w, p.E, cellWork+p.C*p.K/max(1, p.E))
		invert.call(b.pool, w, p.C, p.K)
	}
}

// countPart counts the picks of the part at token lo by expert.
func countPart(a *planning, lo, hi int) {
	count := a.counts(lo / a.part)
	clear(count)
	for t := lo; t < hi; t++ {
		for _, e := range a.idx.row(t) {
			if e >= 0 {
				count[e]++
			}
		}
	}
}

func (a *planning) counts(part int) []int32 { return a.next[part*a.Plan.E : (part+1)*a.Plan.E] }

// offsets lays out the experts, and in each of them the parts.
func (a *planning) offsets(count []int32, parts int) {
	e := a.Plan.E
	clear(count)
	for i := range parts {
		for j, n := range a.counts(i) {
			a.counts(i)[j] = count[j]
			count[j] += n
		}
	}
	a.off[0] = 0
	for j, n := range count[:e] {
		if a.Capacity > 0 && n > int32(a.Capacity) {
			count[e] += n - int32(a.Capacity)
			n = int32(a.Capacity)
		}
		a.off[j+1] = a.off[j] + n
	}
	for i := range parts {
		for j := range a.counts(i) {
			a.counts(i)[j] += a.off[j]
		}
	}
}

// placePart gives the picks of the part at token lo their rows. Past the end of its expert there is none.
func placePart(a *planning, lo, hi int) {
	next, end, k := a.counts(lo/a.part), a.off[1:], a.Plan.K
	for t := lo; t < hi; t++ {
		to := a.inv.row(t)
		for i, e := range a.idx.row(t) {
			to[i] = -1
			if e < 0 || next[e] >= end[e] {
				continue
			}
			r := next[e]
			next[e]++
			a.token[r], a.slot[r], to[i] = int32(t), int32(t*k+i), r
		}
	}
}

// segmentCells finds the rows of experts [lo,hi) by segment. A cotangent row is counted from the first one of its expert.
func segmentCells(a *planning, lo, hi int) {
	n := a.tokens.n
	for e := lo; e < hi; e++ {
		token, base, row := a.token[a.off[e]:a.off[e+1]], a.off[e], int32(0)
		for s := range n {
			t := a.tokens.segment(s)
			first := lowerBound(token, int32(t.act0))
			size := lowerBound(token[first:], int32(t.act0+t.n))
			out := a.segs.row(e*n + s)
			out[0], out[1], out[2], out[3], out[4] = int32(e), int32(t.task), base+first, base+first, size
			if a.coff != nil {
				out[3] = row
				row += size
			}
		}
		if a.coff != nil {
			a.coff[e+1] = row
		}
	}
}

// lowerBound is the number of entries of sorted s that are under v.
func lowerBound(s []int32, v int32) int32 {
	lo, hi := 0, len(s)
	for lo < hi {
		if mid := (lo + hi) / 2; s[mid] < v {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return int32(lo)
}

// cotangentOffsets lays out the experts on the cotangent side.
func (a *planning) cotangentOffsets() {
	a.coff[0] = 0
	for e := range a.Plan.E {
		a.coff[e+1] += a.coff[e]
	}
}

// fillCells writes the routed cotangent rows of experts [lo,hi), segment by segment.
func fillCells(a *planning, lo, hi int) {
	n := a.tokens.n
	for e := lo; e < hi; e++ {
		for s := range n {
			t, cell := a.tokens.segment(s), a.segs.row(e*n+s)
			first, size := cell[2], int(cell[4])
			cell[3] += a.coff[e]
			ctoken, cact := a.ctoken[cell[3]:][:size], a.cact[cell[3]:][:size]
			shift := int32(t.row0 - t.act0)
			for i, token := range a.token[first:][:size] {
				ctoken[i], cact[i] = token+shift, first+int32(i)
			}
		}
	}
}

// invertCotangents finds the routed cotangent rows of cotangent rows [lo,hi): a routed row lies as far from the first one of its cell on both sides.
func invertCotangents(a *planning, lo, hi int) {
	n := a.tokens.n
	for s := range n {
		seg := a.tokens.segment(s)
		for c := max(lo, seg.row0); c < min(hi, seg.row0+seg.n); c++ {
			t := c - seg.row0 + seg.act0
			picks, to := a.idx.row(t), a.cinv.row(c)
			for i, r := range a.inv.row(t) {
				if r >= 0 {
					cell := a.segs.row(int(picks[i])*n + s)
					r += cell[3] - cell[2]
				}
				to[i] = r
			}
		}
	}
}
