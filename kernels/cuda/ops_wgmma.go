package cuda

import (
	"fmt"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cuda/driver"
	"artel/tensor"
)

// warpgroups is what the products of compute capability 9.0 (src/wgmma.cu) keep between launches.
type warpgroups struct {
	// smallest bounds the shapes that they take from below; what is smaller goes to the kernels of capability 8.0.
	smallest wgmmaLimits
	tiles    []tile
	maps     [2]driver.TensorMap
	tiled    driver.Tiled
}

func newWarpgroups() warpgroups { return warpgroups{smallest: someWork(), tiles: warpTiles()} }

// wgmmaLimits are sizes of a product: rows of a group, columns, depth, and multiply-adds in all.
type wgmmaLimits struct{ rows, cols, depth, work int }

// someWork is where a product begins to fill tiles and to be worth the copies of operands that are not bfloat16 yet. The choice depends on the shape alone, so that an
// operand gives the same bits whichever way it lies in memory.
func someWork() wgmmaLimits { return wgmmaLimits{rows: 16, cols: 64, depth: 64, work: 1 << 22} }

// takes reports whether a product runs on warpgroups.
func (d *device) takes(rows, groups, cols, depth int) bool {
	l := &d.wgmma.smallest
	return d.capability == 90 && d.products == dtype.BF16 && rows >= max(l.rows*groups, 1) && cols >= max(l.cols, 1) && depth >= max(l.depth, 1) && rows*cols*depth >= l.work
}

// layout says which dimension of A and of B is contiguous: the depth, or the outer one.
type layout int

// The layouts, in the letters of the kernels' names: d for the depth, o for the outer dimension.
const (
	layoutDD layout = iota
	layoutDO
	layoutOD
	layoutOO
	layouts
)

func layoutOf(a, b *operand) layout {
	l := layoutDD
	if !a.deep {
		l += layoutOD
	}
	if !b.deep {
		l += layoutDO
	}
	return l
}

// tile is what a block makes at a time, and the kernels that do; none where there is no name.
type tile struct {
	rows, cols int
	product    [layouts]string
	gated      [layouts]string
	gatedGrad  [layouts]string
	grad       string
}

// warpTiles are the ones that kernels exist for.
func warpTiles() (all []tile) {
	for _, size := range [][2]int{{128, 256}, {128, 128}, {64, 256}, {64, 128}} {
		t := tile{rows: size[0], cols: size[1]}
		name := fmt.Sprintf("%dx%d", t.rows, t.cols)
		t.grad = "grad_w_" + name
		t.product[layoutDD], t.product[layoutDO] = "product_"+name+"_dd", "product_"+name+"_do"
		if t.cols == 256 || t.rows == 128 { // a warpgroup has two boxes of columns at least
			t.gated[layoutDD], t.gated[layoutDO] = "gated_"+name+"_dd", "gated_"+name+"_do"
			t.gatedGrad[layoutDD], t.gatedGrad[layoutDO] = "gated_grad_"+name+"_dd", "gated_grad_"+name+"_do"
		}
		if t.rows == t.cols {
			t.product[layoutOD], t.product[layoutOO] = "product_"+name+"_od", "product_"+name+"_oo"
		}
		all = append(all, t)
	}
	return all
}

// stage is the bytes of a stage, stages their number, shared the bytes of dynamic shared memory: stages, desks, barriers and what alignment may cost.
func (t *tile) stage() int  { return (t.rows + t.cols) * 128 }
func (t *tile) stages() int { return 192 << 10 / t.stage() }
func (t *tile) shared() int { return t.stages()*t.stage() + 32<<10 + 16*t.stages() + 1024 }

// grid is the number of tiles of rows cut into groups anywhere, at most.
func (t *tile) grid(rows, groups, cols int) int {
	down := ceil(rows, t.rows)
	if groups > 1 {
		down = rows/t.rows + groups
	}
	return down * ceil(cols, t.cols)
}

// tileFor picks the tile, of those with a kernel, whose blocks should be over first: rounds of a block per multiprocessor, each as long as the slower of the tensor cores
// (2,048 multiply-adds a clock) and the second-level cache (32 bytes a clock: half of its peak, which all multiprocessors share). Rows are taken to be spread evenly over groups. It returns nil when there is none.
func (d *device) tileFor(rows, groups, cols int, kernel func(*tile) string) (best *tile) {
	least := 0
	for i := range d.wgmma.tiles {
		t := &d.wgmma.tiles[i]
		if kernel(t) == "" {
			continue
		}
		rounds := ceil(groups*ceil(ceil(rows, groups), t.rows)*ceil(cols, t.cols), d.units)
		if cost := rounds * max(t.rows*t.cols*64/2048, t.stage()/32); best == nil || cost < least {
			best, least = t, cost
		}
	}
	return best
}

// operand is one of a product as the kernels want it: matrices [outer, depth] of bfloat16, rows ld elements apart, at multiples of 16 bytes.
type operand struct {
	t      tensor.Tensor
	deep   bool // rows lie along the depth, else along the outer dimension
	rows   int  // of a matrix as it lies in memory
	cols   int
	groups int
	ld     int
	stride int // from a matrix to the next
	at     driver.Ptr
	packed bool // has to be copied
}

// operandOf looks at a tensor of rank 2 or 3; depth says which of its last two dimensions (0 or 1) is summed over.
func (d *device) operandOf(t tensor.Tensor, depth int) operand {
	r := t.Rank()
	inner := 1
	if t.Stride(r-1) != 1 {
		inner = 0
	}
	o := operand{t: t, deep: inner == depth, rows: t.Dim(r - 1 - inner), cols: t.Dim(r - 2 + inner), ld: t.Stride(r - 1 - inner), groups: 1, at: d.address(t)}
	if r == 3 {
		o.groups, o.stride = t.Dim(0), t.Stride(0)
	}
	if o.rows == 1 {
		o.ld = max(o.ld, (o.cols+7)&^7)
	}
	if o.groups == 1 {
		o.stride = o.rows * ((o.ld + 7) &^ 7)
	}
	o.packed = t.Type != dtype.BF16 || o.at%16 != 0 || o.ld%8 != 0 || o.stride%8 != 0 || o.ld < o.cols || o.stride < o.ld
	return o
}

// bytes is the scratch that a copy of the operand takes.
func (o *operand) bytes() int {
	if !o.packed {
		return 0
	}
	return (o.groups*o.rows*((o.cols+7)&^7)*2 + 255) &^ 255
}

// pack copies operands that have to be, into scratch.
func (d *device) pack(a, b *operand) {
	if a.bytes()+b.bytes() == 0 {
		return
	}
	at := d.temporary(a.bytes() + b.bytes())
	for _, o := range []*operand{a, b} {
		if !o.packed {
			continue
		}
		from, ld, stride := o.at, o.ld, o.stride
		o.at, o.ld = at, (o.cols+7)&^7
		o.stride = o.rows * o.ld
		at += driver.Ptr(o.bytes())
		d.op("wgmma", "pack").raw(o.at).i64(o.ld, o.stride).raw(from).i64(stride, ld, o.groups, o.rows, o.cols).flag(o.t.Type == dtype.BF16).over(o.groups * o.rows * ((o.cols + 7) / 8))
	}
}

// tensorMap describes boxes of 64 x 64 elements of an operand.
func (d *device) tensorMap(m *driver.TensorMap, o *operand, rank int) *driver.TensorMap {
	t := &d.wgmma.tiled
	*t = driver.Tiled{Type: driver.BF16, Rank: rank, Base: o.at, Box: [driver.MaxTensorMapRank]uint32{64, 64, 1}, Steps: [driver.MaxTensorMapRank]uint32{1, 1, 1},
		Dims:    [driver.MaxTensorMapRank]uint64{uint64(o.cols), uint64(o.rows), uint64(o.groups)},
		Strides: [driver.MaxTensorMapRank - 1]uint64{uint64(2 * o.ld), uint64(2 * o.stride)}, Swizzle: driver.Swizzle128, L2: driver.L2Bytes256}
	if d.err == nil {
		d.fail(d.api.TensorMapEncodeTiled(m, t))
	}
	return m
}

// warpgroupProduct queues a grouped product on warpgroups, whose Index and Off may be none, with what follows it in e, whose operands are not read. It reports whether there is
// a kernel for it.
func (d *device) warpgroupProduct(a kernels.GroupedGEMM, e kernels.GEMM, groups int) bool {
	rows, n, k := a.C.Dim(0), a.C.Dim(1), a.A.Dim(1)
	if !d.takes(rows, groups, n, k) {
		return false
	}
	x, y := d.operandOf(a.A, 1), d.operandOf(a.B, 0)
	l := layoutOf(&x, &y)
	t := d.tileFor(rows, groups, n, func(t *tile) string { return t.product[l] })
	if t == nil || a.Index.Ok() && !x.deep {
		return false
	}
	d.pack(&x, &y)
	d.op("wgmma", t.product[l]).maps(d.tensorMap(&d.wgmma.maps[0], &x, 2), d.tensorMap(&d.wgmma.maps[1], &y, 3)).
		raw(x.at).i64(x.ld).ptr(a.Index).mat(a.C).ptr(a.Off).i32(groups, halfBit(a.C, 1)).i64(rows, n, k).follow(e).
		persistent(t.grid(rows, groups, n), t.shared())
	return true
}

// warpgroupGradW queues gradients of weights on warpgroups and reports whether there is a kernel for them.
func (d *device) warpgroupGradW(a kernels.GradW) bool {
	groups, k, n, rows := a.Dst.Dim(0), a.Dst.Dim(2), a.Dst.Dim(3), a.DY.Dim(0)
	if a.X.Dim(0) == 0 || !d.takes(k, 1, n, rows) {
		return false
	}
	x, y := d.operandOf(a.X, 0), d.operandOf(a.DY, 0)
	t := d.tileFor(cells(a.Dst)*k, cells(a.Dst), n, func(t *tile) string { return t.grad })
	if t == nil || x.deep || y.deep {
		return false
	}
	d.pack(&x, &y)
	d.op("wgmma_grad", t.grad).maps(d.tensorMap(&d.wgmma.maps[0], &x, 2), d.tensorMap(&d.wgmma.maps[1], &y, 2)).
		raw(x.at).i64(x.ld).ptr(a.XIndex).raw(y.at).i64(y.ld).ptr(a.YIndex).dest(a.Dst, a.Touched).i64(a.Dst.Stride(2), a.Dst.Stride(3)).
		mat(a.Segs).i32(a.Segs.Dim(0), groups).i64(k, n).persistent(cells(a.Dst)*ceil(k, t.rows)*ceil(n, t.cols), t.shared())
	return true
}

// maps adds tensor maps, which come first among the parameters.
func (c call) maps(m ...*driver.TensorMap) call {
	for _, m := range m {
		c.d.args.Map(m)
	}
	return c
}

// persistent launches a block per multiprocessor, or fewer when there is less to do.
func (c call) persistent(work, shared int) {
	if work > 0 && c.d.err == nil {
		c.d.run(c.k, driver.Dim3{X: uint32(min(work, c.d.units)), Y: 1, Z: 1}, driver.Dim3{X: 384, Y: 1, Z: 1}, shared)
	}
}
