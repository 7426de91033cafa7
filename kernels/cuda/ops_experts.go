package cuda

import "artel/kernels"

func (d *device) experts() kernels.Experts {
	return kernels.Experts{
		GroupedGated: func(a kernels.GroupedGated) {
			if d.warpgroupGated(a) {
				return
			}
			groups, k, width := a.B.Dim(0), a.B.Dim(1), a.A.Dim(1)
			whole := a.Gate != kernels.SwiGLU || width%copyElements == 0 // the second half of the columns is aligned too
			t := tilingFor(d.products, whole && d.copied(a.X, a.B), d.units, 1, a.A.Dim(0), a.B.Dim(2))
			d.product(t, "grouped_gated").view(a.X).ptr(a.Index).view(a.B).i64(a.B.Stride(0)).mat(a.H).mat(a.A).ptr(a.Off).
				i32(groups, halfBit(a.X, halfA)|halfBit(a.B, halfB)|halfBit(a.H, halfH)|halfBit(a.A, halfOut)).i64(width, k).i32(int(a.Gate)).
				tiles(t, t.grouped(a.A.Dim(0), groups, gatedCols(a.Gate, width, t)))
		},
		GroupedGatedGrad: d.groupedGatedGrad,
	}
}

// groupedGatedGrad leaves the parts of the gradient of the scales that come from several tiles in the first columns of DA.
func (d *device) groupedGatedGrad(a kernels.GroupedGatedGrad) {
	if d.warpgroupGatedGrad(a) {
		return
	}
	groups, k, width := a.B.Dim(0), a.B.Dim(1), a.B.Dim(2)
	t := tilingFor(d.products, d.copied(a.DY, a.B), d.units, 1, a.DH.Dim(0), width)
	parts := ceil(width, t.cols)
	c := d.product(t, "grouped_gated_grad").view(a.DY).ptr(a.Index).view(a.B).i64(a.B.Stride(0)).ptr(a.Off).
		i32(groups, halfBit(a.DY, halfA)|halfBit(a.B, halfB)|halfBit(a.H, halfH)|halfBit(a.DH, halfOut)|halfBit(a.A, halfAgain)).i64(width, k).
		mat(a.H).ptr(a.Act).ptr(a.Scale).mat(a.DH)
	c.scaleParts(a, parts).optional(a.A).i32(int(a.Gate)).tiles(t, t.grouped(a.DH.Dim(0), groups, width))
	d.addScales(a, parts)
}

// inParts reports whether several tiles have a part in the gradient of the scales; the parts are then in DA.
func inParts(a kernels.GroupedGatedGrad, parts int) bool { return parts > 1 && a.DScale.Ok() }

// scaleParts adds where the gradient of the scales goes, or its parts.
func (c call) scaleParts(a kernels.GroupedGatedGrad, parts int) call {
	if inParts(a, parts) {
		return c.mat(a.DA)
	}
	return c.ptr(a.DScale).i64(1)
}

// addScales sums the parts of the gradient of the scales.
func (d *device) addScales(a kernels.GroupedGatedGrad, parts int) {
	if inParts(a, parts) {
		d.op("linear", "add_scales").ptr(a.DScale).mat(a.DA).i32(parts, 0).ptr(a.Off.Narrow(0, a.Off.Dim(0)-1, 1)).over(a.DScale.Dim(0))
	}
}
