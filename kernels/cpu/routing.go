package cpu

import "artel/kernels"

func (b *backend) routing() kernels.Routing {
	top, topGrad := newLoop(b.topKRows), newLoop(topKGradRows)
	sum, norm, normGrad := newLoop(b.gatherSumRows), newLoop(rowNormalizeRows), newLoop(rowNormalizeGradRows)
	return kernels.Routing{
		TopK:             func(a kernels.TopK) { top.call(b.pool, a, a.X.Dim(0), 4*a.X.Dim(1)) },
		TopKGrad:         func(a kernels.TopKGrad) { topGrad.call(b.pool, a, a.DX.Dim(0), a.DX.Dim(1)) },
		RoutePlan:        b.routePlanner(),
		GatherSum:        func(a kernels.GatherSum) { sum.call(b.pool, a, a.Dst.Dim(0), a.Dst.Dim(1)*a.Inv.Dim(1)) },
		RowNormalize:     func(a kernels.RowNormalize) { norm.call(b.pool, a, a.X.Dim(0), 4*a.X.Dim(1)) },
		RowNormalizeGrad: func(a kernels.RowNormalizeGrad) { normGrad.call(b.pool, a, a.DX.Dim(0), 4*a.DX.Dim(1)) },
		CountPicks:       b.pickCounter(),
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
	var sum terms // once: to clear it costs as much as to add a short row
	for t := lo; t < hi; t++ {
		sum.dst, sum.add = dst.row(t), a.Accumulate
		for k, r := range inv.row(t) {
			if r < 0 {
				continue
			}
			factor := float32(1)
			if a.W.Ok() {
				factor = w.p[t*w.ld+k]
			}
			sum.term(b, src.row(int(r)), factor)
		}
		sum.end(b)
	}
}

func rowNormalizeRows(a *kernels.RowNormalize, lo, hi int) {
	y, x := matrix(a.Y), matrix(a.X)
	for i := lo; i < hi; i++ {
		var sum float32
		src, d := x.row(i), y.row(i)
		for _, v := range src {
			sum += v
		}
		for j, v := range src {
			d[j] = v / sum
		}
	}
}

func rowNormalizeGradRows(a *kernels.RowNormalizeGrad, lo, hi int) {
	dx, x, y, dy, act := matrix(a.DX), matrix(a.X), matrix(a.Y), matrix(a.DY), ints(a.Act)
	for c := lo; c < hi; c++ {
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

// counting is a CountPicks in the making: every part of the rows has counts of its own.
type counting struct {
	index table
	set   []int32
	e     int
	part  int     // rows of a part
	size  int     // counts of a part: sets*(E+1)
	tally []int32 // [parts,size]: the picks by expert, then the rows, of every set
}

func (b *backend) pickCounter() func(kernels.CountPicks) {
	loop := newLoop(countPicksPart)
	return func(a kernels.CountPicks) {
		count, rows := intMatrix(a.Count), ints(a.Rows)
		w := counting{index: intMatrix(a.Index), set: ints(a.Set), e: count.cols, size: count.n * (count.cols + 1)}
		w.part = max(1, max(partPicks, partShare*w.size)/max(1, w.index.cols))
		parts := (w.index.n + w.part - 1) / w.part
		b.last = grown(b.last, parts*w.size)
		w.tally = b.last
		loop.args = w
		b.pool.Run(w.index.n, w.part, loop.run)
		for s := range count.n {
			to := count.row(s)
			clear(to)
			rows[s] = 0
			for i := range parts {
				from := w.tally[i*w.size+s*(w.e+1):][:w.e+1]
				for e := range to {
					to[e] += from[e]
				}
				rows[s] += from[w.e]
			}
		}
	}
}

func countPicksPart(a *counting, lo, hi int) {
	tally := a.tally[lo/a.part*a.size:][:a.size]
	clear(tally)
	for i := lo; i < hi; i++ {
		if a.set[i] < 0 {
			continue
		}
		to := tally[int(a.set[i])*(a.e+1):][:a.e+1]
		to[a.e]++
		for _, e := range a.index.row(i) {
			if e >= 0 {
				to[e]++
			}
		}
	}
}
