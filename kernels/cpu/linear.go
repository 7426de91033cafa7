package cpu

import (
	"artel/kernels"
	"artel/kernels/cpu/internal/gemm"
	"artel/tensor"
)

// blockRows is the height of a work item of a matrix product: packing a panel costs little beside this many rows.
const blockRows = 240

// span is a range of work items of one product of a group.
type span struct{ first, product, blocks int }

func (b *backend) linear() kernels.Linear {
	products := b.newProducts()
	embed := newLoop(b.embedRows)
	return kernels.Linear{
		GEMM:        func(a kernels.GEMM) { b.gemmOp(a, products) },
		GroupedGEMM: func(a kernels.GroupedGEMM) { b.groupedGEMM(a, products) },
		GradW:       func(a kernels.GradW) { b.gradW(a, products) },
		GradB:       b.gradB,
		Embed:       func(a kernels.Embed) { embed.call(b.pool, a, a.Dst.Dim(0), a.Dst.Dim(1)) },
		EmbedGrad:   b.embedGrad,
	}
}

// newProducts prepares the loop over the work items of b.products: (product, panel, block of rows), product by product.
func (b *backend) newProducts() func() {
	run := func(lo, hi int) {
		s := b.scratch()
		for i := lo; i < hi; i++ {
			b.item(i, s)
		}
		b.giveBack(s)
	}
	return func() {
		b.spans = b.spans[:0]
		items := 0
		for i := range b.products {
			p := &b.products[i]
			blocks := (p.M + blockRows - 1) / blockRows
			if p.M == 0 || p.N == 0 {
				continue
			}
			b.spans = append(b.spans, span{items, i, blocks})
			items += blocks * gemm.Panels(p.N)
		}
		b.pool.Run(items, 1, run)
	}
}

// item runs work item i, and with it all later products that add to the same place, in order.
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
	panel, block := i/sp.blocks, i%sp.blocks
	b.gemm.Run(p, panel, block*blockRows, min((block+1)*blockRows, p.M), s)
}

// mat views the last two dimensions of a tensor.
func mat(t tensor.Tensor) gemm.Mat {
	r := t.Rank()
	return gemm.Mat{P: t.F32(), RS: t.Stride(r - 2), CS: t.Stride(r - 1)}
}

func (b *backend) gemmOp(a kernels.GEMM, run func()) {
	c, x, y := a.C, a.A, a.B
	if c.Stride(1) != 1 && c.Dim(1) > 1 && !a.Bias.Ok() { // C is a transposed view: C' = B'A'
		c, x, y = c.T(), y.T(), x.T()
	}
	p := gemm.Product{M: c.Dim(0), N: c.Dim(1), K: x.Dim(1), A: mat(x), B: mat(y), C: c.F32(), LDC: c.Stride(0), Acc: a.Accumulate, Bias: floats(a.Bias)}
	b.products = append(b.products[:0], p)
	run()
}

// grown returns s with n elements, reusing its memory.
func grown[E any](s []E, n int) []E {
	if cap(s) < n {
		return make([]E, n+n/4)[:n]
	}
	return s[:n]
}

// gathered copies the indexed rows of t side by side.
func (b *backend) gathered(buf *[]float32, t, index tensor.Tensor, n int) gemm.Mat {
	src, cols := matrix(t), t.Dim(1)
	*buf = grown(*buf, n*cols)
	idx := ints(index)
	for i := 0; i < n; i++ {
		copy((*buf)[i*cols:(i+1)*cols], src.row(int(idx[i])))
	}
	return gemm.Mat{P: *buf, RS: cols, CS: 1}
}

func (b *backend) groupedGEMM(a kernels.GroupedGEMM, run func()) {
	off := ints(a.Off)
	groups := len(off) - 1
	total := int(off[groups])
	x := mat(a.A)
	if a.Index.Ok() {
		x = b.gathered(&b.gatherX, a.A, a.Index, total)
	}
	c, ldc := a.C.F32(), a.C.Stride(0)
	b.products = b.products[:0]
	for g := 0; g < groups; g++ {
		lo, hi := int(off[g]), int(off[g+1])
		if lo == hi {
			continue
		}
		b.products = append(b.products, gemm.Product{
			M: hi - lo, N: a.C.Dim(1), K: a.A.Dim(1),
			A: gemm.Mat{P: x.P[lo*x.RS:], RS: x.RS, CS: x.CS}, B: mat(a.B.At(g)), C: c[lo*ldc:], LDC: ldc,
		})
	}
	run()
}
