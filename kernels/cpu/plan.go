package cpu

import "artel/kernels"

// routePlan is a stable counting sort by expert, then one pass over (expert, segment) for the cotangent side.
func (b *backend) routePlan(a kernels.RoutePlan) {
	p := a.Plan
	idx := intMatrix(a.Index)
	count, off := ints(p.Count), ints(p.Off)
	clear(count)
	for t := 0; t < p.T; t++ {
		for _, e := range idx.row(t) {
			if e >= 0 {
				count[e]++
			}
		}
	}
	off[0] = 0
	for e := 0; e < p.E; e++ {
		n := count[e]
		if a.Capacity > 0 && n > int32(a.Capacity) {
			count[p.E] += n - int32(a.Capacity)
			n = int32(a.Capacity)
		}
		off[e+1] = off[e] + n
	}
	token, slot, inv := ints(p.Token), ints(p.Slot), intMatrix(p.Inv)
	b.last = grown(b.last, p.E)
	next := b.last
	copy(next, off[:p.E])
	for t := 0; t < p.T; t++ {
		to := inv.row(t)
		for k, e := range idx.row(t) {
			to[k] = -1
			if e < 0 || next[e] == off[e+1] {
				continue
			}
			r := next[e]
			next[e]++
			token[r], slot[r], to[k] = int32(t), int32(t*p.K+k), r
		}
	}
	cotangents(p, intMatrix(a.TokenSegs))
}

// cotangents lays out the cotangent rows of each expert, segment by segment, and writes the routed segments.
func cotangents(p *kernels.Plan, tokens table) {
	segs, off, token, slot := intMatrix(p.Segs), ints(p.Off), ints(p.Token), ints(p.Slot)
	n := tokens.n
	same := !p.CAct.Ok()
	var coff, ctoken, cact []int32
	cinv := intMatrix(p.CInv)
	if !same {
		coff, ctoken, cact = ints(p.COff), ints(p.CToken), ints(p.CAct)
		for c := 0; c < cinv.n; c++ {
			for k := range cinv.row(c) {
				cinv.row(c)[k] = -1
			}
		}
		coff[0] = 0
	}
	row := int32(0)
	for e := 0; e < p.E; e++ {
		lo, hi := int(off[e]), int(off[e+1])
		for s := 0; s < n; s++ {
			t := tokens.segment(s)
			first := lowerBound(token[lo:hi], int32(t.act0)) + lo
			end := lowerBound(token[lo:hi], int32(t.act0+t.n)) + lo
			out := segs.row(e*n + s)
			start := row
			if same {
				start = int32(first)
			}
			out[0], out[1], out[2], out[3], out[4] = int32(e), int32(t.task), int32(first), start, int32(end-first)
			if same {
				continue
			}
			for r := first; r < end; r++ {
				c := int32(t.row0) + token[r] - int32(t.act0)
				ctoken[row], cact[row] = c, int32(r)
				cinv.row(int(c))[int(slot[r])%p.K] = row
				row++
			}
		}
		if !same {
			coff[e+1] = row
		}
	}
}

// lowerBound is the number of entries of sorted s that are under v.
func lowerBound(s []int32, v int32) int {
	lo, hi := 0, len(s)
	for lo < hi {
		if mid := (lo + hi) / 2; s[mid] < v {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}
