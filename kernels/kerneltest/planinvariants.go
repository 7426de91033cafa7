package kerneltest

import (
	"fmt"

	"artel/kernels"
)

// checkPlan checks what must hold for every plan, without computing one: kept picks form a permutation in stable order, counts
// and drops add up, and segments tile the cotangent rows. It returns the first violation, or "".
func checkPlan(a kernels.RoutePlan) string {
	if err := checkPicks(a); err != "" {
		return err
	}
	if err := checkCotangents(a); err != "" {
		return err
	}
	return checkSegments(a)
}

// checkPicks checks the activation side.
func checkPicks(a kernels.RoutePlan) string {
	p, index := a.Plan, intRows(a.Index)
	off, token, slot, inv, count := ints(p.Off), ints(p.Token), ints(p.Slot), intRows(p.Inv), ints(p.Count)
	asked, dropped := make([]int, p.E), 0
	for _, picks := range index {
		for _, e := range picks {
			if e >= 0 {
				asked[e]++
			}
		}
	}
	if off[0] != 0 {
		return fmt.Sprintf("Off[0] = %d", off[0])
	}
	for e, n := range asked {
		if count[e] != n {
			return fmt.Sprintf("Count[%d] = %d, want %d", e, count[e], n)
		}
		kept := n
		if a.Capacity > 0 && n > a.Capacity {
			kept = a.Capacity
		}
		dropped += n - kept
		if off[e+1]-off[e] != kept {
			return fmt.Sprintf("expert %d has %d rows, want %d of %d picks", e, off[e+1]-off[e], kept, n)
		}
		for r := off[e]; r < off[e+1]; r++ {
			t, k := slot[r]/p.K, slot[r]%p.K
			switch {
			case slot[r] < 0 || slot[r] >= p.T*p.K || index[t][k] != e:
				return fmt.Sprintf("row %d of expert %d has slot %d, which is no pick of it", r, e, slot[r])
			case token[r] != t:
				return fmt.Sprintf("Token[%d] = %d, Slot is %d", r, token[r], slot[r])
			case r > off[e] && slot[r] <= slot[r-1]:
				return fmt.Sprintf("rows %d and %d are out of order", r-1, r)
			case inv[t][k] != r:
				return fmt.Sprintf("Inv[%d,%d] = %d, want %d", t, k, inv[t][k], r)
			}
		}
	}
	if count[p.E] != dropped {
		return fmt.Sprintf("Count[E] = %d dropped, want %d", count[p.E], dropped)
	}
	// What is kept comes before what is dropped.
	for t, picks := range index {
		for k, e := range picks {
			switch r := inv[t][k]; {
			case r >= 0 && (e < 0 || r < off[e] || r >= off[e+1] || slot[r] != t*p.K+k):
				return fmt.Sprintf("Inv[%d,%d] = %d is no row of pick %d", t, k, r, e)
			case r < -1:
				return fmt.Sprintf("Inv[%d,%d] = %d, want -1", t, k, r)
			case r == -1 && e >= 0 && (off[e] == off[e+1] || slot[off[e+1]-1] > t*p.K+k):
				return fmt.Sprintf("pick (%d,%d) of expert %d was dropped before a later one", t, k, e)
			}
		}
	}
	return ""
}

// checkCotangents checks that the routed cotangent rows are the kept picks of the cotangent rows, each once, expert by expert.
func checkCotangents(a kernels.RoutePlan) string {
	p := a.Plan
	if !p.CAct.Ok() {
		return ""
	}
	index, inv, cOff, cToken, cAct, cInv := intRows(a.Index), intRows(p.Inv), ints(p.COff), ints(p.CToken), ints(p.CAct), intRows(p.CInv)
	want := 0
	for _, s := range intRows(a.TokenSegs) {
		for i := 0; i < s[4]; i++ {
			t, c := s[2]+i, s[3]+i
			for k, r := range inv[t] {
				at := cInv[c][k]
				if r < 0 {
					if at != -1 {
						return fmt.Sprintf("CInv[%d,%d] = %d of a pick that is not kept", c, k, at)
					}
					continue
				}
				want++
				e := index[t][k]
				if at < cOff[e] || at >= cOff[e+1] || cToken[at] != c || cAct[at] != r {
					return fmt.Sprintf("CInv[%d,%d] = %d is not the row of token %d, expert %d", c, k, at, t, e)
				}
			}
		}
	}
	if cOff[0] != 0 || cOff[p.E] != want {
		return fmt.Sprintf("cotangent rows are [%d,%d), want %d", cOff[0], cOff[p.E], want)
	}
	return ""
}

// checkSegments checks that the segments of an expert follow the token segments, tile its cotangent rows and run along its
// activation rows.
func checkSegments(a kernels.RoutePlan) string {
	p, tokenSegs, segs := a.Plan, intRows(a.TokenSegs), intRows(a.Plan.Segs)
	off, cOff, token, cToken := ints(p.Off), ints(p.COff), ints(p.Token), ints(p.CToken)
	cAct := make([]int, p.T*p.K)
	if p.CAct.Ok() {
		cAct = ints(p.CAct)
	} else {
		for i := range cAct {
			cAct[i] = i
		}
	}
	for e := 0; e < p.E; e++ {
		next, covered := cOff[e], 0
		for s, ts := range tokenSegs {
			g := segs[e*len(tokenSegs)+s]
			act0, row0, n := g[2], g[3], g[4]
			covered += n
			switch {
			case g[0] != e || g[1] != ts[1]:
				return fmt.Sprintf("segment %d of expert %d is %v, task %d", s, e, g, ts[1])
			case n < 0 || act0 < off[e] || act0+n > off[e+1] || row0 < cOff[e] || row0+n > cOff[e+1]:
				return fmt.Sprintf("segment %d of expert %d, %v, leaves its rows", s, e, g)
			case p.CAct.Ok() && row0 != next, !p.CAct.Ok() && row0 != act0:
				return fmt.Sprintf("segment %d of expert %d starts at cotangent row %d", s, e, row0)
			case act0 > off[e] && token[act0-1] >= ts[2] && n > 0, act0 < off[e+1] && token[act0] < ts[2]:
				return fmt.Sprintf("segment %d of expert %d starts at activation row %d", s, e, act0)
			}
			next += n
			for i := 0; i < n; i++ {
				if t := token[act0+i]; cAct[row0+i] != act0+i || t < ts[2] || t >= ts[2]+ts[4] || cToken[row0+i] != ts[3]+t-ts[2] {
					return fmt.Sprintf("row %d of segment %d of expert %d does not fit", i, s, e)
				}
			}
		}
		if covered != cOff[e+1]-cOff[e] {
			return fmt.Sprintf("the segments of expert %d have %d rows, want %d", e, covered, cOff[e+1]-cOff[e])
		}
	}
	return ""
}
