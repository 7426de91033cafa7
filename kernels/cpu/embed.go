package cpu

import "artel/kernels"

// bag returns the ids of row i.
func bag(ids, off []int32, i int) []int32 {
	if off == nil {
		return ids[i : i+1]
	}
	return ids[off[i]:off[i+1]]
}

func (b *backend) embedRows(a *kernels.Embed, lo, hi int) {
	ids, off := ints(a.IDs), ints(a.Off)
	table, dst := matrix(a.Table), matrix(a.Dst)
	for i := lo; i < hi; i++ {
		row, items := dst.row(i), bag(ids, off, i)
		clear(row)
		for _, id := range items {
			b.vec.Axpy(row, table.row(int(id)), 1)
		}
		if a.Mean && len(items) > 1 {
			b.vec.Scale(row, row, 1/float32(len(items)))
		}
	}
}

func (b *backend) embedGrad(a kernels.EmbedGrad) {
	ids, off, segs, dy := ints(a.IDs), ints(a.Off), intMatrix(a.Segs), matrix(a.DY)
	for k := 0; k < segs.n; k++ {
		s := segs.segment(k)
		if s.n == 0 {
			continue
		}
		dst := a.Dst.At(s.group).At(s.task)
		if f := &ints(a.Touched)[s.group*a.Touched.Stride(0)+s.task*a.Touched.Stride(1)]; *f == 0 {
			*f = 1
			fill(dst, 0)
		}
		table := matrix(dst)
		for r := 0; r < s.n; r++ {
			items := bag(ids, off, s.act0+r)
			scale := float32(1)
			if a.Mean && len(items) > 1 {
				scale = 1 / float32(len(items))
			}
			for _, id := range items {
				b.vec.Axpy(table.row(int(id)), dy.row(s.row0+r), scale)
			}
		}
	}
}
