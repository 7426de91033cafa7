package cuda

import "artel/kernels"

// warpgroupGated queues a GroupedGated on warpgroups and reports whether there is a kernel for it.
func (d *device) warpgroupGated(a kernels.GroupedGated) bool {
	rows, groups, k, width, cols := a.A.Dim(0), a.B.Dim(0), a.B.Dim(1), a.A.Dim(1), a.B.Dim(2)
	if !d.takes(rows, groups, cols, k) {
		return false
	}
	x, b := d.operandOf(a.X, 1), d.operandOf(a.B, 0)
	l := layoutOf(&x, &b)
	t := d.tileFor(rows, groups, cols, func(t *tile) string { return t.gated[l] })
	if t == nil {
		return false
	}
	if a.Gate == kernels.SwiGLU { // a tile holds both halves of its units
		cols = t.cols * ceil(width, t.cols/2)
	}
	d.pack(&x, &b)
	d.op("wgmma_experts", t.gated[l]).maps(d.tensorMap(&d.wgmma.maps[0], &x, 2), d.tensorMap(&d.wgmma.maps[1], &b, 3)).
		raw(x.at).i64(x.ld).ptr(a.Index).mat(a.H).mat(a.A).ptr(a.Off).i32(groups, halfBit(a.H, halfH)|halfBit(a.A, halfOut)).i64(width, k).i32(int(a.Gate)).
		persistent(t.grid(rows, groups, cols), t.shared())
	return true
}

// warpgroupGatedGrad queues a GroupedGatedGrad on warpgroups and reports whether there is a kernel for it. The gradient of the scales is left in DA as a part for every 64 columns.
func (d *device) warpgroupGatedGrad(a kernels.GroupedGatedGrad) bool {
	rows, groups, k, width := a.DH.Dim(0), a.B.Dim(0), a.B.Dim(1), a.B.Dim(2)
	if !d.takes(rows, groups, width, k) {
		return false
	}
	y, b := d.operandOf(a.DY, 1), d.operandOf(a.B, 0)
	l := layoutOf(&y, &b)
	t := d.tileFor(rows, groups, width, func(t *tile) string { return t.gatedGrad[l] })
	if t == nil {
		return false
	}
	d.pack(&y, &b)
	parts := ceil(width, 64)
	c := d.op("wgmma_experts", t.gatedGrad[l]).maps(d.tensorMap(&d.wgmma.maps[0], &y, 2), d.tensorMap(&d.wgmma.maps[1], &b, 3)).
		raw(y.at).i64(y.ld).ptr(a.Index).ptr(a.Off).i32(groups, halfBit(a.H, halfH)|halfBit(a.DH, halfOut)|halfBit(a.A, halfAgain)).i64(width, k).
		mat(a.H).ptr(a.Act).ptr(a.Scale).mat(a.DH)
	c.scaleParts(a, parts).optional(a.A).i32(int(a.Gate)).persistent(t.grid(rows, groups, width), t.shared())
	d.addScales(a, parts)
	return true
}
