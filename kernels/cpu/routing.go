package cpu

import "artel/kernels"

func (b *backend) routing() kernels.Routing {
	top, topGrad := newLoop(b.topKRows), newLoop(topKGradRows)
	sum := newLoop(b.gatherSumRows)
	return kernels.Routing{
		TopK:             func(a kernels.TopK) { top.call(b.pool, a, a.X.Dim(0), 4*a.X.Dim(1)) },
		TopKGrad:         func(a kernels.TopKGrad) { topGrad.call(b.pool, a, a.DX.Dim(0), a.DX.Dim(1)) },
		RoutePlan:        b.routePlan,
		GatherSum:        func(a kernels.GatherSum) { sum.call(b.pool, a, a.Dst.Dim(0), a.Dst.Dim(1)*a.Inv.Dim(1)) },
		RowNormalize:     rowNormalize,
		RowNormalizeGrad: rowNormalizeGrad,
		CountPicks:       countPicks,
	}
}

func (b *backend) topKRows(a *kernels.TopK, lo, hi int) {
	x, src, val, idx := matrix(a.X), matrix(a.Src), matrix(a.Value), intMatrix(a.Index)
	if !a.Src.Ok() {
		src = x
	}
	for i := lo; i < hi; i++ {
		picks := idx.row(i)
		b.vec.Top(picks, x.row(i))
		v, s := val.row(i), src.row(i)
		for n, j := range picks {
			v[n] = s[j]
		}
	}
}

func topKGradRows(a *kernels.TopKGrad, lo, hi int) {
	dx, dv, idx, act := matrix(a.DX), matrix(a.DV), intMatrix(a.Index), ints(a.Act)
	for c := lo; c < hi; c++ {
		d := dx.row(c)
		if !a.Accumulate {
			clear(d)
		}
		picks := idx.row(of(act, c))
		for k, g := range dv.row(c) {
			if j := picks[k]; j >= 0 {
				d[j] += g
			}
		}
	}
}

func (b *backend) gatherSumRows(a *kernels.GatherSum, lo, hi int) {
	dst, src, w, inv := matrix(a.Dst), matrix(a.Src), matrix(a.W), intMatrix(a.Inv)
	for t := lo; t < hi; t++ {
		d, picks := dst.row(t), inv.row(t)
		factor := func(n int) float32 {
			if a.W.Ok() {
				return w.row(t)[n]
			}
			return 1
		}
		first := !a.Accumulate
		if first && len(picks) >= 2 && picks[0] >= 0 && picks[1] >= 0 { // as a rule
			b.vec.Mix2(d, src.row(int(picks[0])), src.row(int(picks[1])), factor(0), factor(1))
			for n, r := range picks[2:] {
				if r >= 0 {
					b.vec.Axpy(d, src.row(int(r)), factor(n+2))
				}
			}
			continue
		}
		for n, r := range picks {
			if r < 0 {
				continue
			}
			if first {
				b.vec.Scale(d, src.row(int(r)), factor(n))
			} else {
				b.vec.Axpy(d, src.row(int(r)), factor(n))
			}
			first = false
		}
		if first {
			clear(d)
		}
	}
}

func rowNormalize(a kernels.RowNormalize) {
	y, x := matrix(a.Y), matrix(a.X)
	for i := 0; i < x.n; i++ {
		var sum float32
		for _, v := range x.row(i) {
			sum += v
		}
		d := y.row(i)
		for j, v := range x.row(i) {
			d[j] = v / sum
		}
	}
}

func rowNormalizeGrad(a kernels.RowNormalizeGrad) {
	dx, x, y, dy, act := matrix(a.DX), matrix(a.X), matrix(a.Y), matrix(a.DY), ints(a.Act)
	for c := 0; c < dx.n; c++ {
		i := of(act, c)
		var sum, inner float32
		g, p, d := dy.row(c), y.row(i), dx.row(c)
		for j, v := range x.row(i) {
			sum += v
			inner += g[j] * p[j]
		}
		for j := range d {
			put(&d[j], (g[j]-inner)/sum, a.Accumulate)
		}
	}
}

func countPicks(a kernels.CountPicks) {
	idx, set, rows := intMatrix(a.Index), ints(a.Set), ints(a.Rows)
	count := intMatrix(a.Count)
	clear(rows)
	for s := 0; s < count.n; s++ {
		clear(count.row(s))
	}
	for i, s := range set {
		if s < 0 {
			continue
		}
		rows[s]++
		for _, e := range idx.row(i) {
			if e >= 0 {
				count.row(int(s))[e]++
			}
		}
	}
}
