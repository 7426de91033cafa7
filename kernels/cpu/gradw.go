package cpu

import (
	"artel/kernels"
	"artel/kernels/cpu/internal/gemm"
)

// claim decides for every segment with rows whether it is the first of its destination, and sets the flags. It links segments of one
// destination: b.chain[i] is the next one after i, -1 at the end; b.fresh[i] says that i overwrites; a negative b.last entry is unused.
// It returns false when every destination has one segment.
func (b *backend) claim(segs table, touched tensorFlags) (chained bool) {
	n := segs.n
	b.chain, b.fresh = grown(b.chain, n), grown(b.fresh, n)
	b.last = grown(b.last, touched.groups*touched.tasks)
	for i := range b.last {
		b.last[i] = -1
	}
	for i := 0; i < n; i++ {
		s := segs.segment(i)
		b.chain[i], b.fresh[i] = -1, false
		if s.n == 0 {
			b.chain[i] = skipped
			continue
		}
		d := touched.slot(s.group, s.task)
		f := touched.at(s.group, s.task)
		if *f == 0 {
			*f, b.fresh[i] = 1, true
		}
		if prev := b.last[d]; prev >= 0 {
			b.chain[prev] = int32(i)
			b.fresh[i] = false
			chained = true
		}
		b.last[d] = int32(i)
	}
	return chained
}

// skipped marks a segment without rows in b.chain.
const skipped = -2

// tensorFlags is a Touched tensor.
type tensorFlags struct {
	p             []int32
	groups, tasks int
	gs, ts        int
}

func (f tensorFlags) at(g, t int) *int32 { return &f.p[g*f.gs+t*f.ts] }

// slot numbers the destinations; tasks that share one share the number.
func (f tensorFlags) slot(g, t int) int {
	if f.ts == 0 {
		t = 0
	}
	return g*f.tasks + t
}

// manyGradients is a number of elements of which the caches hold a small part: whoever reads them reads them from memory.
const manyGradients = 8 << 20

func (b *backend) gradW(a kernels.GradW, run func()) {
	segs := intMatrix(a.Segs)
	flags := tensorFlags{ints(a.Touched), a.Touched.Dim(0), a.Touched.Dim(1), a.Touched.Stride(0), a.Touched.Stride(1)}
	chained := b.claim(segs, flags)
	x, y := mat(a.X).T(), mat(a.DY)
	xi, yi := ints(a.XIndex), ints(a.YIndex)
	n := segs.n
	stream := n*a.Dst.Dim(2)*a.Dst.Dim(3) >= manyGradients
	// Segments of one destination must follow each other: first all first ones, then all second ones, and so on. One round is the rule.
	for round := 0; ; round++ {
		b.products = b.products[:0]
		for i := 0; i < n; i++ {
			if b.chain[i] == skipped || chained && b.depth(segs, flags, i) != round {
				continue
			}
			s := segs.segment(i)
			dst := a.Dst.At(s.group).At(s.task)
			p := gemm.Product{
				M: dst.Dim(0), N: dst.Dim(1), K: s.n, Acc: !b.fresh[i],
				A: x, B: y, C: dst.F32(), LDC: dst.Stride(0), Stream: stream,
			}
			if xi == nil {
				p.A = x.From(s.act0 * x.CS)
			} else {
				p.AK = xi[s.act0 : s.act0+s.n]
			}
			if yi == nil {
				p.B = y.From(s.row0 * y.RS)
			} else {
				p.BK = yi[s.row0 : s.row0+s.n]
			}
			if dst.Stride(1) != 1 && dst.Dim(1) > 1 {
				p = p.T()
				p.LDC = dst.Stride(1)
			}
			b.products = append(b.products, p)
		}
		if len(b.products) == 0 {
			return
		}
		run()
		if !chained {
			return
		}
	}
}

// depth counts the earlier segments of the destination of segment i.
func (b *backend) depth(segs table, flags tensorFlags, i int) (d int) {
	s := segs.segment(i)
	for j := 0; j < i; j++ {
		o := segs.segment(j)
		if o.n > 0 && flags.slot(o.group, o.task) == flags.slot(s.group, s.task) {
			d++
		}
	}
	return d
}

// gradB adds the rows of each segment in order; it is small beside the products.
func (b *backend) gradB(a kernels.GradB) {
	segs, dy := intMatrix(a.Segs), matrix(a.DY)
	for i := 0; i < segs.n; i++ {
		s := segs.segment(i)
		if s.n == 0 {
			continue
		}
		dst := a.Dst.At(s.group).At(s.task).F32()
		if f := &ints(a.Touched)[s.group*a.Touched.Stride(0)+s.task*a.Touched.Stride(1)]; *f == 0 {
			*f = 1
			clear(dst)
		}
		for r := 0; r < s.n; r++ {
			b.vec.Axpy(dst, dy.row(s.row0+r), 1)
		}
	}
}
