package cpu

import (
	"artel/kernels"
	"artel/kernels/cpu/internal/gemm"
)

// expertArgs holds the views that the loops after a product need, while it runs.
type expertArgs struct {
	h, a, dh  rows
	scale, ds []float32
	act       []int32
	first     []int // first row of every product
	f         int
}

// forget lets go of all memory but its own.
func (x *expertArgs) forget() { *x = expertArgs{first: x.first[:0]} }

// experts unites products and gates where the gate is SwiGLU and panels do not straddle its halves; everything else is composed.
func (b *backend) experts(l kernels.Linear, e kernels.Elementwise) kernels.Experts {
	plain, products := kernels.Composed(l, e), b.newProducts()
	up, down := b.afterUp, b.afterDown
	return kernels.Experts{
		GroupedGated: func(a kernels.GroupedGated) {
			if f := a.A.Dim(1); a.Gate != kernels.SwiGLU || f%gemm.Panel != 0 || f == 0 {
				plain.GroupedGated(a)
				return
			}
			b.groupedGated(a, up, products)
		},
		GroupedGatedGrad: func(a kernels.GroupedGatedGrad) {
			if a.Gate != kernels.SwiGLU || a.DA.Dim(1) == 0 {
				plain.GroupedGatedGrad(a)
				return
			}
			b.groupedGatedGrad(a, down, products)
		},
	}
}

func (b *backend) groupedGated(a kernels.GroupedGated, after afterFunc, run func()) {
	x := &b.expert
	*x = expertArgs{h: matrix(a.H), a: matrix(a.A), f: a.A.Dim(1), first: x.first[:0]}
	b.groupedProducts(kernels.GroupedGEMM{A: a.X, Index: a.Index, B: a.B, C: a.H, Off: a.Off})
	for i := range b.products {
		p := &b.products[i]
		p.Pair, p.After, p.Tag = gemm.Panels(x.f), after, i
	}
	if x.h.h != nil {
		b.thenTemp(after)
	}
	run()
	x.forget()
}

// afterFunc is gemm.Product.After.
type afterFunc = func(p *gemm.Product, c []float32, lo, hi, j0, j1 int)

// afterUp applies the gate to columns [j0,j1) of g, which c begins with, and of u.
func (b *backend) afterUp(p *gemm.Product, c []float32, lo, hi, j0, j1 int) {
	x := &b.expert
	first, ld, pair, n := x.first[p.Tag], p.LDC, x.f, j1-j0
	if p.Temp {
		ld, pair = b.gemm.TempRows(p)
	}
	if p.Temp && x.a.h != nil && b.vec.SiluHalf != nil {
		for i := lo; i < hi; i++ {
			h := c[(i-lo)*ld:]
			b.vec.SiluHalf(x.a.half(first+i, j0, j1), x.h.half(first+i, j0, j1), x.h.half(first+i, x.f+j0, x.f+j1), h[:n], h[pair:pair+n])
		}
		return
	}
	l := b.lines.take()
	buf := l.parts(1, n)
	for i := lo; i < hi; i++ {
		r, h := first+i, c[(i-lo)*ld:]
		g, u := h[:n], h[pair:pair+n]
		if p.Temp {
			b.store(&x.h, r, j0, g)
			b.store(&x.h, r, x.f+j0, u)
			g, u = b.load(&x.h, r, j0, j1, g), b.load(&x.h, r, x.f+j0, x.f+j1, u)
		}
		a := x.a.space(r, j0, j1, buf[0])
		b.vec.SiluMul(a, g, u, 1)
		b.store(&x.a, r, j0, a)
	}
	b.lines.giveBack(l)
}

func (b *backend) groupedGatedGrad(a kernels.GroupedGatedGrad, after afterFunc, run func()) {
	x := &b.expert
	*x = expertArgs{
		h: matrix(a.H), dh: matrix(a.DH), a: matrix(a.A), scale: floats(a.Scale), ds: floats(a.DScale), act: ints(a.Act),
		f: a.DA.Dim(1), first: x.first[:0],
	}
	b.groupedProducts(kernels.GroupedGEMM{A: a.DY, Index: a.Index, B: a.B, C: a.DA, Off: a.Off})
	for i := range b.products {
		p := &b.products[i]
		p.Temp, p.After, p.Tag = true, after, i
		if x.act == nil {
			p.Soon[0], p.SoonRS[0], p.SoonBy = x.h.words(x.first[i], 0)
			p.Soon[1], p.SoonRS[1], p.SoonBy = x.h.words(x.first[i], x.f)
		}
	}
	run()
	x.forget()
}

// afterDown turns columns [j0,j1) of da, which c begins with, into those of dH, and adds up the gradient of the scale in their order.
func (b *backend) afterDown(p *gemm.Product, c []float32, lo, hi, j0, j1 int) {
	x := &b.expert
	ld, _ := b.gemm.TempRows(p)
	n := j1 - j0
	if x.h.h != nil && x.dh.h != nil && (x.a.h != nil || !x.a.ok()) && b.vec.SiluHalfGrad != nil {
		b.afterDownHalf(c, x.first[p.Tag], ld, lo, hi, j0, j1)
		return
	}
	l := b.lines.take()
	buf := l.parts(5, n)
	for i := lo; i < hi; i++ {
		r := x.first[p.Tag] + i
		act, s := of(x.act, r), float32(1)
		if x.scale != nil {
			s = x.scale[act]
		}
		g, u := b.load(&x.h, act, j0, j1, buf[0]), b.load(&x.h, act, x.f+j0, x.f+j1, buf[1])
		if x.a.ok() { // before dH may have taken the place of H
			a := x.a.space(r, j0, j1, buf[4])
			b.vec.SiluMul(a, g, u, s)
			b.store(&x.a, r, j0, a)
		}
		dg, du := x.dh.space(r, j0, j1, buf[2]), x.dh.space(r, x.f+j0, x.f+j1, buf[3])
		sum := b.vec.SiluMulGrad(dg, du, g, u, c[(i-lo)*ld:(i-lo)*ld+n], s)
		b.store(&x.dh, r, j0, dg)
		b.store(&x.dh, r, x.f+j0, du)
		if x.ds != nil {
			put(&x.ds[r], sum, j0 > 0)
		}
	}
	b.lines.giveBack(l)
}

// afterDownHalf is afterDown for H, DH and A in bfloat16; first is the row that the product begins with.
func (b *backend) afterDownHalf(c []float32, first, ld, lo, hi, j0, j1 int) {
	x := &b.expert
	for i := lo; i < hi; i++ {
		r := first + i
		act, s := of(x.act, r), float32(1)
		if x.scale != nil {
			s = x.scale[act]
		}
		var a []uint16
		if x.a.h != nil {
			a = x.a.half(r, j0, j1)
		}
		sum := b.vec.SiluHalfGrad(x.dh.half(r, j0, j1), x.dh.half(r, x.f+j0, x.f+j1), a, x.h.half(act, j0, j1), x.h.half(act, x.f+j0, x.f+j1), c[(i-lo)*ld:][:j1-j0], s)
		if x.ds != nil {
			put(&x.ds[r], sum, j0 > 0)
		}
	}
}
