package ref

import "artel/kernels"

func cellGram(a kernels.CellGram) {
	X, DY, xi, yi := mat(a.X), mat(a.DY), index(ivec(a.XIndex)), index(ivec(a.YIndex))
	var segs []segment
	for i := range a.Segs.Dim(0) {
		r := imat(a.Segs).row(i)
		segs = append(segs, segment{int(r[0]), int(r[1]), int(r[2]), int(r[3]), int(r[4])})
	}
	for _, s := range segs {
		for _, t := range segs {
			if s.group != t.group {
				continue
			}
			g := mat(a.G.At(s.group)).ptr(s.task, t.task)
			for i := range s.n {
				for j := range t.n {
					x := dot(X.row(xi.of(s.act0+i)), X.row(xi.of(t.act0+j)))
					*g += x * dot(DY.row(yi.of(s.row0+i)), DY.row(yi.of(t.row0+j)))
				}
			}
		}
	}
}
