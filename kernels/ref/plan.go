package ref

import (
	"sort"

	"artel/kernels"
	"artel/kernels/internal/host"
)

func routePlan(a kernels.RoutePlan) {
	placePicks(a)
	placeCotangents(a)
}

// placePicks fills the activation side: a stable counting sort of the picks by expert, cut at the capacity.
func placePicks(a kernels.RoutePlan) {
	p, picks := a.Plan, imat(a.Index)
	off, token, slot, inv, count := ivec(p.Off), ivec(p.Token), ivec(p.Slot), imat(p.Inv), ivec(p.Count)

	clear(count)
	for t := 0; t < p.T; t++ {
		for _, e := range picks.row(t) {
			if e >= 0 {
				count[e]++
			}
		}
	}
	off[0] = 0
	for e := 0; e < p.E; e++ {
		kept := count[e]
		if a.Capacity > 0 {
			kept = min(kept, int32(a.Capacity))
		}
		off[e+1] = off[e] + kept
		count[p.E] += count[e] - kept
	}
	next := append([]int32(nil), off[:p.E]...)
	for t := 0; t < p.T; t++ {
		for k, e := range picks.row(t) {
			if e < 0 || next[e] == off[e+1] {
				*inv.ptr(t, k) = -1
				continue
			}
			r := next[e]
			next[e]++
			token[r], slot[r], *inv.ptr(t, k) = int32(t), int32(t*p.K+k), r
		}
	}
}

// placeCotangents fills the segments and, when cotangent rows differ from activation rows, the cotangent side.
func placeCotangents(a kernels.RoutePlan) {
	p, tokenSegs, segs := a.Plan, imat(a.TokenSegs), imat(a.Plan.Segs)
	off, token, slot := ivec(p.Off), ivec(p.Token), ivec(p.Slot)
	stacked := p.CAct.Ok()
	cOff, cToken, cAct, cInv := ivec(p.COff), ivec(p.CToken), ivec(p.CAct), imat(p.CInv)
	if stacked {
		host.Fill(p.CInv, -1)
		cOff[0] = 0
	}
	pos := int32(0) // next routed cotangent row
	for e := 0; e < p.E; e++ {
		tokens := token[off[e]:off[e+1]] // rising, because the sort is stable
		rowOf := func(t int32) int32 {
			return off[e] + int32(sort.Search(len(tokens), func(i int) bool { return tokens[i] >= t }))
		}
		for s := 0; s < tokenSegs.rows; s++ {
			seg := tokenSegs.row(s)
			task, act0, row0, n := seg[1], seg[2], seg[3], seg[4]
			lo, hi := rowOf(act0), rowOf(act0+n)
			first := lo
			if stacked {
				first = pos
				for r := lo; r < hi; r++ {
					c := row0 + token[r] - act0
					cToken[pos], cAct[pos] = c, r
					*cInv.ptr(int(c), int(slot[r])%p.K) = pos
					pos++
				}
			}
			copy(segs.row(e*tokenSegs.rows+s), []int32{int32(e), task, lo, first, hi - lo})
		}
		if stacked {
			cOff[e+1] = pos
		}
	}
}
