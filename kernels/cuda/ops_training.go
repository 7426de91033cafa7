package cuda

import (
	"math"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cuda/driver"
	"artel/tensor"
)

// block is the number of columns of a partial sum in training.cu.
const block = 2048

func blocksOf(n int) int { return (n + block - 1) / block }

func (d *device) training() kernels.Training {
	return kernels.Training{
		Gram:      func(a kernels.Gram) { d.gram(a.J, a.J, a.Present, a.G, false) },
		CrossGram: func(a kernels.CrossGram) { d.gram(a.J, a.K, a.Present, a.G, true) },
		Combine: func(a kernels.Combine) {
			m, n := a.J.Dim(0), a.J.Dim(1)
			part := d.temporary(8 * blocksOf(n))
			d.op("training", "combine").ptr(a.Dst).mat(a.J).ptr(a.Present).ptr(a.W).i32(m, 0).i64(n).raw(part).blocks(blocksOf(n))
			d.addParts(a.SumSq, n)
		},
		SumSquares: func(a kernels.SumSquares) {
			n := a.X.Dim(0)
			part := d.temporary(8 * blocksOf(n))
			d.op("training", "sum_squares").ptr(a.X).i64(n).raw(part).blocks(blocksOf(n))
			d.addParts(a.Dst, n)
		},
		SGD: func(a kernels.SGD) {
			n := a.P.Dim(0)
			d.op("training", "sgd").ptr(a.P).ptr(a.G).ptr(a.M).i64(n).f32(a.LR, a.Momentum, 1-a.Dampening, a.Decay).f64(a.Scale).ptr(a.By).flag(a.Nesterov).flag(a.First).over(n)
		},
		Adam: func(a kernels.Adam) {
			n, keep, l2 := a.P.Dim(0), 1.0, a.Decay
			if a.Decoupled {
				keep, l2 = 1-a.LR*a.Decay, 0
			}
			rate := a.LR / (1 - math.Pow(a.Beta1, float64(a.Step)))
			root := 1 / math.Sqrt(1-math.Pow(a.Beta2, float64(a.Step)))
			d.op("training", "adam").ptr(a.P).ptr(a.G).ptr(a.M).ptr(a.V).i64(n).f64(a.Scale).ptr(a.By).f32(l2, a.Beta1, 1-a.Beta1, a.Beta2, 1-a.Beta2, keep, rate, root, a.Eps).over(n)
		},
		Lion: func(a kernels.Lion) {
			n := a.P.Dim(0)
			d.op("training", "lion").ptr(a.P).ptr(a.G).ptr(a.M).i64(n).f32(a.LR, a.Beta1, 1-a.Beta1, a.Beta2, 1-a.Beta2, a.Decay).f64(a.Scale).ptr(a.By).over(n)
		},
	}
}

func (d *device) gram(j, k, present, g tensor.Tensor, cross bool) {
	m, n := j.Dim(0), j.Dim(1)
	part := d.temporary(8 * blocksOf(n) * m * m)
	d.op("training", "gram").mat(j).mat(k).ptr(present).i32(m, 0).i64(n).raw(part).flag(cross).blocks(blocksOf(n))
	d.op("training", "gram_add").ptr(g).i64(g.Stride(0)).ptr(present).i32(m, 0).i64(blocksOf(n)).raw(part).flag(cross).blocks(1)
}

// addParts adds the partial sums in the scratch to dst, when there is one.
func (d *device) addParts(dst tensor.Tensor, n int) {
	if dst.Ok() && n > 0 {
		d.op("training", "add_parts").ptr(dst).raw(d.scratch).i64(blocksOf(n)).one()
	}
}

func (d *device) surgery() kernels.Surgery {
	return kernels.Surgery{
		GradDrop: func(a kernels.GradDrop) {
			m, n := a.J.Dim(0), a.J.Dim(1)
			part := d.temporary(8 * blocksOf(n))
			d.op("training", "grad_drop").ptr(a.Dst).mat(a.J).ptr(a.Present).ptr(a.Leak).i32(m, 0).i64(n).u64(a.Key).u64(a.Hi).i64(a.Offset).raw(part).blocks(blocksOf(n))
			d.addParts(a.SumSq, n)
		},
		TrimmedMean: func(a kernels.TrimmedMean) {
			m, n := a.J.Dim(0), a.J.Dim(1)
			part := d.temporary(8 * blocksOf(n))
			d.op("training", "trimmed_mean").ptr(a.Dst).mat(a.J).ptr(a.Present).i32(m, 0).i64(n).i32(a.Trim, 0).raw(part).blocks(blocksOf(n))
			d.addParts(a.SumSq, n)
		},
		Track: func(a kernels.Track) {
			m, n := a.Y.Dim(0), a.Y.Dim(1)
			d.op("training", "track").mat(a.Y).mat(a.J).ptr(a.Present).ptr(a.Keep).ptr(a.Take).i32(m, 0).i64(n).over(m * n)
		},
		Excess: func(a kernels.Excess) {
			m, n := a.J.Dim(0), a.J.Dim(1)
			part := d.temporary(8 * blocksOf(n) * m)
			d.op("training", "excess").mat(a.S).mat(a.J).ptr(a.Present).i32(m, 0).i64(n).f64(a.Eps).raw(part).blocks(blocksOf(n))
			d.op("training", "excess_add").ptr(a.Dst).ptr(a.Present).i32(m, 0).i64(blocksOf(n)).raw(part).blocks(1)
		},
		MaskRows: func(a kernels.MaskRows) {
			m, n := a.J.Dim(0), a.J.Dim(1)
			d.op("training", "mask_rows").mat(a.J).ptr(a.Mask).ptr(a.Present).i32(m, 0).i64(n).over(m * n)
		},
		Saliency: d.saliency,
		CellGram: func(a kernels.CellGram) {
			groups := a.G.Dim(0)
			d.op("training", "cell_gram").ptr(a.G).i64(a.G.Stride(0), a.G.Stride(1)).mat(a.Segs).i32(a.Segs.Dim(0), groups).
				mat(a.X).ptr(a.XIndex).mat(a.DY).ptr(a.YIndex).i64(a.X.Dim(1), a.DY.Dim(1)).i32(cellGramBits(d.products, a)).blocks(groups)
		},
		Select: func(a kernels.Select) {
			n := a.Dst.Dim(0)
			d.op("training", "select_elements").ptr(a.Dst).ptr(a.Src).ptr(a.Mask).i64(n).over(n)
		},
	}
}

// cellGramBits are the bits of the kernel that tell whether operands are rounded, and which are bfloat16 already.
func cellGramBits(products dtype.Type, a kernels.CellGram) int {
	bits := halfBit(a.X, 2) | halfBit(a.DY, 4)
	if products == dtype.BF16 {
		bits |= 1
	}
	return bits
}

// saliency adds up losses by row: the entropies are the first rows of part, the contrasts the m*n after them.
func (d *device) saliency(a kernels.Saliency) {
	m := a.S.Dim(0)
	n := a.S.Dim(1) / a.Width
	values := n * a.Width
	part := d.temporary(8 * ((m+1)*n + 2*values + 3*m*n*a.Window))
	mean := part + driver.Ptr(8*(m+1)*n)
	coef := mean + driver.Ptr(16*values)
	d.op("saliency", "saliency").mat(a.S).i32(a.Width, 0).mat(a.U).i32(a.Width, 0).i32(m, 0).i64(n).i32(a.Window, 0).f64(a.Entropy).f64(a.Align).f64(a.Temperature).f64(a.Floor).
		raw(part).raw(mean).raw(mean + driver.Ptr(8*values)).raw(coef).blocks((n + a.Window - 1) / a.Window)
	if n > 0 {
		d.op("losses", "add_rows").ptr(a.Loss).raw(part).i64(n).f64(1).blocks(1)
		d.op("losses", "add_rows").ptr(a.Loss.Narrow(0, 1, 1)).raw(part + driver.Ptr(8*n)).i64(m * n).f64(1).blocks(1)
	}
}
