package cpu

import (
	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cpu/internal/gemm"
	"artel/tensor"
)

// span is a range of work items: the blocks of one product.
type span struct {
	first, product int
	height, width  int // of a block: rows, panels
	across         int // blocks side by side
}

func (b *backend) linear() kernels.Linear {
	products, store, follow := b.newProducts(), b.afterStore, b.afterProduct
	embed := newLoop(b.embedRows)
	return kernels.Linear{
		GEMM:        func(a kernels.GEMM) { b.gemmOp(a, follow, products) },
		GroupedGEMM: func(a kernels.GroupedGEMM) { b.groupedGEMM(a, store, products) },
		GradW:       func(a kernels.GradW) { b.gradW(a, products) },
		GradB:       b.gradB,
		Embed:       func(a kernels.Embed) { embed.call(b.pool, a, a.Dst.Dim(0), a.Dst.Dim(1)) },
		EmbedGrad:   b.embedGrad,
	}
}

// newProducts prepares the loop over the work items of b.products.
func (b *backend) newProducts() func() {
	run := func(lo, hi int) {
		s := b.scratch.take()
		for i := lo; i < hi; i++ {
			b.item(i, s)
		}
		s.Forget()
		b.scratch.giveBack(s)
	}
	return func() {
		items := b.partition()
		b.pool.Run(items, max(1, items/(16*b.pool.Workers())), run)
		clear(b.products) // or memory that an arena gives back would stay
	}
}

const (
	wideBlock = 64      // most panels of a block: the more, the less it costs to pack A
	thinBlock = 48      // fewest rows of a block that was cut for balance
	smallWork = 1 << 18 // multiply-adds that are not worth another block: some microseconds
)

// partition cuts b.products into blocks, the largest that still give every worker a few and all of them as many, and returns their number. How products are cut does
// not change a bit of the result: every element is summed over k in one order.
func (b *backend) partition() (items int) {
	work, rows, panels, whole := 0, 0, 0, false
	for i := range b.products {
		p := &b.products[i]
		p.BF16, whole = b.bf16, whole || p.After != nil && !p.Loose
		work += p.M * p.N * max(p.K, 1)
		rows, panels = max(rows, p.M), max(panels, p.Across())
	}
	workers := b.pool.Workers()
	want, enough := min(2*workers, 1+work/smallWork), min(4*workers, 1+work/smallWork)
	if workers == 1 {
		want = 1
	}
	height, width := min(rows, gemm.MaxRows), min(panels, wideBlock)
	for {
		if items = b.cut(height, width); items >= enough || items >= want && items%workers == 0 {
			return items
		}
		switch {
		case width > 4 && !whole || width > 1 && height < 2*thinBlock:
			width = (width + 1) / 2
		case height >= 2*thinBlock:
			height /= 2
		case width > 1:
			width = (width + 1) / 2
		default:
			return items
		}
	}
}

// cut sets b.spans to blocks of about height rows and width panels and returns their number.
func (b *backend) cut(height, width int) (items int) {
	b.spans = b.spans[:0]
	for i := range b.products {
		p := &b.products[i]
		if p.M == 0 || p.N == 0 {
			continue
		}
		down := (p.M + height - 1) / height
		sp := span{first: items, product: i, height: (p.M + down - 1) / down}
		if sp.height < p.M { // whole tiles, for each of the variants
			sp.height = min((sp.height+11)/12*12, gemm.MaxRows)
		}
		down = (p.M + sp.height - 1) / sp.height
		panels := p.Across()
		width := width
		if p.After != nil && !p.Loose { // it meets the columns of a row in order
			width = panels
		}
		sp.across = (panels + width - 1) / width
		sp.width = (panels + sp.across - 1) / sp.across
		sp.across = (panels + sp.width - 1) / sp.width
		b.spans = append(b.spans, sp)
		items += down * sp.across
	}
	return items
}

// item runs work item i.
func (b *backend) item(i int, s *gemm.Scratch) {
	lo, hi := 0, len(b.spans)
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; b.spans[mid].first <= i {
			lo = mid
		} else {
			hi = mid
		}
	}
	sp := b.spans[lo]
	i -= sp.first
	p := &b.products[sp.product]
	row, panel := i/sp.across*sp.height, i%sp.across*sp.width
	b.gemm.Run(p, row, min(row+sp.height, p.M), panel, min(panel+sp.width, p.Across()), s)
}

// mat views the last two dimensions of a tensor.
func mat(t tensor.Tensor) gemm.Mat {
	r := t.Rank()
	m := gemm.Mat{RS: t.Stride(r - 2), CS: t.Stride(r - 1)}
	if t.Type == dtype.BF16 {
		m.H = t.BF16()
	} else {
		m.P = t.F32()
	}
	return m
}

// grown returns s with n elements, reusing its memory.
func grown[E any](s []E, n int) []E {
	if cap(s) < n {
		return make([]E, n+n/4)[:n]
	}
	return s[:n]
}

func (b *backend) groupedGEMM(a kernels.GroupedGEMM, after afterFunc, run func()) {
	b.groupedProducts(a)
	if a.C.Type == dtype.BF16 {
		b.expert.h = matrix(a.C)
		b.thenTemp(after)
	}
	run()
	b.expert.forget()
}

// thenTemp makes what the products compute memory of the workers, which only after sees.
func (b *backend) thenTemp(after afterFunc) {
	for i := range b.products {
		p := &b.products[i]
		p.Temp, p.After, p.Tag = true, after, i
	}
}

// afterStore rounds columns [j0,j1) to the result.
func (b *backend) afterStore(p *gemm.Product, c []float32, lo, hi, j0, j1 int) {
	x := &b.expert
	ld, _ := b.gemm.TempRows(p)
	for i := lo; i < hi; i++ {
		b.store(&x.h, x.first[p.Tag]+i, j0, c[(i-lo)*ld:][:j1-j0])
	}
}

// manyWeights is a number of elements that the caches do not keep from one use to the next.
const manyWeights = 4 << 20

// groupedProducts sets b.products to one product per group with rows, and b.expert.first to their first rows.
func (b *backend) groupedProducts(a kernels.GroupedGEMM) {
	off := ints(a.Off)
	groups := len(off) - 1
	x, index := mat(a.A), ints(a.Index)
	c := matrix(a.C)
	cold := groups*a.B.Dim(1)*a.B.Dim(2) >= manyWeights
	b.products, b.expert.first = b.products[:0], b.expert.first[:0]
	for g := 0; g < groups; g++ {
		lo, hi := int(off[g]), int(off[g+1])
		if lo == hi {
			continue
		}
		w := a.B.At(g)
		p := gemm.Product{M: hi - lo, N: a.C.Dim(1), K: a.A.Dim(1), A: x, B: mat(w), LDC: c.ld, Cold: cold}
		b.weights(&p, w)
		if c.p != nil {
			p.C = c.p[lo*c.ld:]
		}
		if index == nil {
			p.A = x.From(lo * x.RS)
		} else {
			p.AI = index[lo:hi]
		}
		b.products, b.expert.first = append(b.products, p), append(b.expert.first, lo)
	}
}
