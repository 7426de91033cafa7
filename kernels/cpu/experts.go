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
}

// afterFunc is gemm.Product.After.
type afterFunc = func(p *gemm.Product, c []float32, lo, hi, j0, j1 int)

// afterUp applies the gate to columns [j0,j1) of g, which c begins with, and of u.
func (b *backend) afterUp(p *gemm.Product, c []float32, lo, hi, j0, j1 int) {
	x := &b.expert
	first, ld, n := x.first[p.Tag], p.LDC, j1-j0
	if p.Temp {
		ld = gemm.Panels(p.N) * gemm.Panel
	}
	l := b.lines.take()
	buf := l.parts(1, n)
	for i := lo; i < hi; i++ {
		r, h := first+i, c[(i-lo)*ld:]
		g, u := h[:n], h[x.f:x.f+n]
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
		if x.act == nil && x.h.p != nil {
			r := x.first[i]
			p.Soon[0], p.SoonRS[0] = x.h.p[r*x.h.ld:], x.h.ld
			p.Soon[1], p.SoonRS[1] = x.h.p[r*x.h.ld+x.f:], x.h.ld
		}
	}
	run()
}

// afterDown turns columns [j0,j1) of da, which c begins with, into those of dH, and adds up the gradient of the scale in their order.
func (b *backend) afterDown(p *gemm.Product, c []float32, lo, hi, j0, j1 int) {
	x := &b.expert
	ld, n := gemm.Panels(p.N)*gemm.Panel, j1-j0
	l := b.lines.take()
	buf := l.parts(5, n)
	for i := lo; i < hi; i++ {
		r := x.first[p.Tag] + i
		act, s := of(x.act, r), float32(1)
		if x.scale != nil {
			s = x.scale[act]
		}
		g, u := b.load(&x.h, act, j0, j1, buf[0]), b.load(&x.h, act, x.f+j0, x.f+j1, buf[1])
		dg, du := x.dh.space(r, j0, j1, buf[2]), x.dh.space(r, x.f+j0, x.f+j1, buf[3])
		sum := b.vec.SiluMulGrad(dg, du, g, u, c[(i-lo)*ld:(i-lo)*ld+n], s)
		b.store(&x.dh, r, j0, dg)
		b.store(&x.dh, r, x.f+j0, du)
		if x.ds != nil {
			put(&x.ds[r], sum, j0 > 0)
		}
		if x.a.ok() {
			a := x.a.space(r, j0, j1, buf[4])
			b.vec.SiluMul(a, g, u, s)
			b.store(&x.a, r, j0, a)
		}
	}
	b.lines.giveBack(l)
}
