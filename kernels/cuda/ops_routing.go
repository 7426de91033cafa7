package cuda

import "artel/kernels"

func (d *device) routing() kernels.Routing {
	return kernels.Routing{
		TopK: func(a kernels.TopK) {
			n, m, k := a.X.Dim(0), a.X.Dim(1), a.Index.Dim(1)
			src := a.Src
			if !src.Ok() {
				src = a.X
			}
			d.op("routing", "top_k").mat(a.X).mat(src).mat(a.Index).mat(a.Value).i64(n, m).i32(k, lanesOf(m)).over(n * lanesOf(m))
		},
		TopKGrad: func(a kernels.TopKGrad) {
			n, m, k := a.DX.Dim(0), a.DX.Dim(1), a.Index.Dim(1)
			d.op("routing", "top_k_grad").mat(a.DX).mat(a.Index).mat(a.DV).ptr(a.Act).i64(n, m).i32(k).flag(a.Accumulate).over(n)
		},
		RoutePlan: d.routePlan,
		GatherSum: func(a kernels.GatherSum) {
			n, m, k := a.Dst.Dim(0), a.Dst.Dim(1), a.Inv.Dim(1)
			d.op("routing", "gather_sum").mat(a.Dst).mat(a.Src).mat(a.Inv).mat(a.W).i64(n, m).i32(k).flag(a.Accumulate).over(n * m)
		},
		RowNormalize: func(a kernels.RowNormalize) {
			n, m := a.X.Dim(0), a.X.Dim(1)
			d.op("routing", "row_normalize").mat(a.Y).mat(a.X).i64(n, m).over(n)
		},
		RowNormalizeGrad: func(a kernels.RowNormalizeGrad) {
			n, m := a.DX.Dim(0), a.DX.Dim(1)
			d.op("routing", "row_normalize_grad").mat(a.DX).mat(a.X).mat(a.Y).mat(a.DY).ptr(a.Act).i64(n, m).flag(a.Accumulate).over(n)
		},
		CountPicks: func(a kernels.CountPicks) {
			s, e := a.Count.Dim(0), a.Count.Dim(1)
			d.op("routing", "count_picks").mat(a.Index).ptr(a.Set).mat(a.Count).ptr(a.Rows).i64(a.Index.Dim(0)).i32(a.Index.Dim(1), 0).i64(s, e).over(s * (e + 1))
		},
	}
}

// lanesOf is how many lanes look at a row of so many columns together: a part of a warp whose loads make whole sectors.
func lanesOf(cols int) int {
	switch {
	case cols <= 8:
		return 8
	case cols <= 16:
		return 16
	}
	return 32
}

// chunk is the number of picks that plan.cu counts at a time.
const chunk = 256

func (d *device) routePlan(a kernels.RoutePlan) {
	p := a.Plan
	picks := p.T * p.K
	chunks := (picks + chunk - 1) / chunk
	segs := a.TokenSegs.Dim(0)
	part := d.temporary(4 * chunks * p.E)
	d.op("plan", "plan_histogram").mat(a.Index).i64(picks).i32(p.K, p.E).raw(part).blocks(chunks)
	d.op("plan", "plan_scan").raw(part).i64(chunks).i32(p.E, a.Capacity).ptr(p.Count).ptr(p.Off).blocks(1)
	d.op("plan", "plan_place").mat(a.Index).i64(picks).i32(p.K, p.E).raw(part).ptr(p.Off).ptr(p.Token).ptr(p.Slot).mat(p.Inv).blocks(chunks)
	d.op("plan", "plan_segments").ptr(p.Token).ptr(p.Off).mat(a.TokenSegs).i32(segs, p.E).mat(p.Segs).over(p.E * segs)
	if !p.CAct.Ok() {
		return
	}
	d.op("plan", "plan_cot_offsets").mat(p.Segs).i32(segs, p.E).ptr(p.COff).one()
	d.op("moves", "fill").ptr(p.CInv).i32(code4(p.CInv.Type)).four(p.CInv.Dim, 2, 1).four(p.CInv.Stride, 2, 0).f64(-1).over(p.CInv.Len())
	d.op("plan", "plan_cotangents").mat(p.Segs).mat(a.TokenSegs).i32(segs, p.E, p.K).ptr(p.Token).ptr(p.Slot).ptr(p.CToken).ptr(p.CAct).mat(p.CInv).blocks(p.E * segs)
}
