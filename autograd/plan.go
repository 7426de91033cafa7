package autograd

import (
	"artel/kernels"
	"artel/tensor"
)

// Plan routes the rows of s by picks: see kernels.RoutePlan. It holds both sides, activations and cotangents.
//
//	index I32 [N,K]: experts picked by row, negative for an unused pick; capacity 0 means dropless
func (t *Tape) Plan(s *Space, index tensor.Tensor, experts, capacity int) *kernels.Plan {
	p := t.plans.next()
	if t.err != nil {
		return p
	}
	n, k := index.Dim(0), index.Dim(1)
	if n != s.N {
		t.Failf("plan: picks for %d rows, want %d", n, s.N)
		return p
	}
	*p = kernels.Plan{
		T: n, K: k, E: experts, C: s.C,
		Off: t.NewI32(experts + 1), Token: t.NewI32(n * k), Slot: t.NewI32(n * k), Inv: t.NewI32(n, k),
		Count: t.NewI32(experts + 1), Segs: t.NewI32(experts*s.Segs.Dim(0), kernels.SegCols),
	}
	if s.Act.Ok() {
		p.COff, p.CToken, p.CAct, p.CInv = t.NewI32(experts+1), t.NewI32(s.C*k), t.NewI32(s.C*k), t.NewI32(s.C, k)
	} else {
		p.COff, p.CToken, p.CInv = p.Off, p.Token, p.Inv
	}
	t.be.RoutePlan(kernels.RoutePlan{Plan: p, Index: index, TokenSegs: s.Segs, Capacity: capacity})
	return p
}
