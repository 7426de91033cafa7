package emu

import (
	"math/bits"
	"strconv"
	"unsafe"

	"artel/kernels/cuda/emu/ptx"
)

// groupProduct is one wgmma.mma_async as a warp sees it: its 16 of the 64 rows. It reads shared memory and registers when it is waited for, not before.
type groupProduct struct {
	shape *groupShape
	a, b  uint64 // descriptors
	scale bool   // adds to D
	group uint32
	in    *inst
}

// groupShape is a form of wgmma.mma_async: D[64,n] += A[64,k] B[k,n].
type groupShape struct {
	n, k           int
	wide           bool // tf32
	half           bool // D is f16
	load           func(uint16) float32
	regs           []int32 // registers of A; nil when A is in shared memory
	d              []int32
	transA, transB bool
	negA, negB     bool
}

// groupMultiply is wgmma with its second words.
func groupMultiply(d *decoder) {
	switch {
	case d.has("fence"):
		d.emit(Barrier, func(w *warp, in *inst) {
			if w.whole(in, BadMask) {
				w.async.fenced = true
			}
		})
	case d.has("commit_group"):
		d.emit(Barrier, func(w *warp, in *inst) {
			if w.whole(in, BadMask) {
				w.async.productsClosed++
			}
		})
	case d.has("wait_group"):
		n := uint32(d.immediate(0))
		d.emit(Barrier, func(w *warp, in *inst) {
			if w.whole(in, BadMask) {
				w.waitProducts(n)
			}
		})
	default:
		d.groupProduct()
	}
}

func (d *decoder) groupProduct() {
	mods := d.in.Mods
	if len(mods) != 7 || mods[0] != "mma_async" || mods[4] != "f32" && mods[4] != "f16" || mods[5] != mods[6] || mods[4] == "f16" && mods[5] != "f16" {
		d.fail("this form is not supported")
		return
	}
	s := &groupShape{k: 16, half: mods[4] == "f16"}
	per := 2 // columns of D for a register of it, over its two rows
	if s.half {
		per = 4
	}
	switch mods[5] {
	case "bf16":
		s.load = brainToFloat
	case "f16":
		s.load = halfToFloat
	case "tf32":
		s.wide, s.k = true, 8
	default:
		d.fail("this type is not supported")
		return
	}
	for n := 8; n <= 256; n += 8 {
		if mods[3] == "m64n"+strconv.Itoa(n)+"k"+strconv.Itoa(s.k) {
			s.n = n
		}
	}
	args := d.in.Args
	want := 8
	fromRegs := len(args) > 1 && args[1].Kind == ptx.KVec
	if fromRegs {
		want--
	}
	if s.wide {
		want -= 2
		if fromRegs {
			want++
		}
	}
	if s.n == 0 || len(args) != want || len(args[0].List) != s.n/per {
		d.fail("shape %s and the operands do not fit", mods[3])
		return
	}
	s.d = d.registers(args[0], s.n/per, true)
	a := int32(-1)
	if fromRegs {
		s.regs = d.registers(args[1], 4, false)
	} else {
		a = d.src(1, ptx.B64)
	}
	b := d.src(2, ptx.B64)
	scale, flip := d.predSrc(args[3])
	s.negA, s.negB = int64(d.immediate(4)) == -1, int64(d.immediate(5)) == -1
	if !s.wide {
		s.transB = d.immediate(want-1) == 1
		s.transA = !fromRegs && d.immediate(6) == 1
	}
	flops := uint64(2 * 16 * s.n * s.k)
	d.emit(Matrix, func(w *warp, in *inst) {
		if !w.whole(in, BadMask) {
			return
		}
		if !w.async.fenced && w.blk.races != nil {
			w.fault(ProxyFence, in, w.lane(), 0, "no wgmma.fence since the last wait")
			return
		}
		p := groupProduct{shape: s, b: reg[uint64](w, b)[0], scale: (*pred(w, scale)^flip)&1 != 0, group: w.async.productsClosed, in: in}
		if a >= 0 {
			p.a = reg[uint64](w, a)[0]
		}
		w.blk.count.TensorFLOPs += flops
		w.async.products = append(w.async.products, p)
	})
}

// waitProducts waits for all but the last n closed groups. A product is one operation of the four warps of a warpgroup: it can only be over when all of
// them have issued it, and then it is over for all. The first warp that waits makes the products of all four.
func (w *warp) waitProducts(n uint32) {
	target := w.async.productsClosed - min(n, w.async.productsClosed)
	if !w.issuedByGroup(target) {
		w.wait = waiter{kind: onGroup, round: uint64(target)}
		w.state = waiting
		w.again()
		return
	}
	w.async.fenced = false
	first := w.id &^ 3
	for _, v := range w.blk.warps[first:min(first+4, len(w.blk.warps))] {
		if !v.multiplyDue(target, w) {
			w.state = failed
			return
		}
	}
	s := &w.blk.groups[w.id/4]
	w.clock.acquire(s)
	w.clock.release(s)
}

// issuedByGroup reports whether the warps of the warpgroup have closed a number of groups.
func (w *warp) issuedByGroup(target uint32) bool {
	first := w.id &^ 3
	for _, v := range w.blk.warps[first:min(first+4, len(w.blk.warps))] {
		if v.async.productsClosed < target {
			return false
		}
	}
	return true
}

// multiplyDue makes the products of the closed groups below target; by is the warp that waits for them.
func (w *warp) multiplyDue(target uint32, by *warp) bool {
	a := &w.async
	done := 0
	for ; done < len(a.products) && a.products[done].group < target; done++ {
		if !w.multiplyGroup(&a.products[done], by) {
			return false
		}
	}
	a.products = append(a.products[:0], a.products[done:]...)
	return true
}

// matrixRead checks a read of 16 bytes by a product and records it as one of the warp that waits.
func (w *warp) matrixRead(in *inst, a uint64, by *warp) bool {
	if size := uint64(len(w.blk.shared)); a+16 > size {
		w.fault(OutOfBounds, in, 0, a, "an operand's 16 bytes; shared memory has %d bytes", size)
		return false
	}
	r := w.blk.races
	if r == nil {
		return true
	}
	if !w.readable(in, 0, a, 16) {
		return false
	}
	for g := a / 2; g < a/2+8; g++ {
		if !w.ordered(in, 0, a, int(g), false, false, true) {
			return false
		}
		r.reads[int(g)*r.n+by.clock.id] = by.clock.seen[by.clock.id]
	}
	return true
}

// matrixSource is an operand in shared memory: its descriptor taken apart.
type matrixSource struct {
	start, lead, stride uint64
	swizzle             int // log2 of the width in bytes, less 4; 0 for none
	trans               bool
}

func sourceOf(desc uint64, trans bool) matrixSource {
	return matrixSource{start: desc & 0x3fff << 4, lead: desc >> 16 & 0x3fff << 4, stride: desc >> 32 & 0x3fff << 4,
		swizzle: [4]int{0, 3, 2, 1}[desc>>62], trans: trans}
}

// piece returns the address of the 16 bytes that hold, of row r (of M or N) and column c (of K), the elements from a multiple of 16 bytes on: along K, or along
// the rows when the operand is transposed; per is the number of elements of 16 bytes. (PTX ISA, wgmma, canonical layouts.)
func (s *matrixSource) piece(r, c, per uint64) uint64 {
	wide := uint64(1) << s.swizzle // pieces of a swizzled row
	var a uint64
	switch {
	case !s.trans && s.swizzle == 0:
		a = s.start + r/8*s.stride + c/per*s.lead + r%8*16
	case !s.trans:
		a = s.start + r/8*s.stride + r%8*16*wide + c/per*16
	case s.swizzle == 0:
		a = s.start + r/8*s.stride + c/8*s.lead + c%8*16
	default:
		a = s.start + r/(8*wide)*s.lead + c/8*s.stride + c%8*16*wide + r/8%wide*16
	}
	return swizzled(a, s.swizzle)
}

// multiplyGroup computes the warp's rows of a product.
func (w *warp) multiplyGroup(p *groupProduct, by *warp) bool {
	s := p.shape
	var x [16][16]float32
	if s.regs != nil {
		s.gatherRegs(w, &x)
	} else {
		src := sourceOf(p.a, s.transA)
		first := uint64(w.id % 4 * 16)
		if !w.gather(p.in, by, &src, s, first, 16, func(r, k int, v float32) { x[r][k] = v }) {
			return false
		}
	}
	if s.negA != s.negB {
		for i := range x {
			for j := range x[i] {
				x[i][j] = -x[i][j]
			}
		}
	}
	src := sourceOf(p.b, s.transB)
	y := w.async.panel(s.n / 8)
	if !w.gather(p.in, by, &src, s, 0, uint64(s.n), func(r, k int, v float32) { y[r>>3][k][r&7] = v }) {
		return false
	}
	if s.half {
		s.addHalves(w, p.scale, &x, y)
		return true
	}
	for j := range y {
		d := [4]*[lanes]float32{reg[float32](w, s.d[4*j]), reg[float32](w, s.d[4*j+1]), reg[float32](w, s.d[4*j+2]), reg[float32](w, s.d[4*j+3])}
		for i := range x {
			var z [8]float32
			lo, hi := d[i>>3*2], d[i>>3*2+1]
			l := i & 7 * 4
			if p.scale {
				z = [8]float32{lo[l], hi[l], lo[l+1], hi[l+1], lo[l+2], hi[l+2], lo[l+3], hi[l+3]}
			}
			rowTimes(&z, x[i][:s.k], &y[j])
			lo[l], hi[l], lo[l+1], hi[l+1] = oneNaN(z[0]), oneNaN(z[1]), oneNaN(z[2]), oneNaN(z[3])
			lo[l+2], hi[l+2], lo[l+3], hi[l+3] = oneNaN(z[4]), oneNaN(z[5]), oneNaN(z[6]), oneNaN(z[7])
		}
	}
	return true
}

// addHalves is the sum of a product whose D is f16: in float32, rounded once.
func (s *groupShape) addHalves(w *warp, scale bool, x *[16][16]float32, y [][16][8]float32) {
	for j := range y {
		d := [2]*[lanes][2]uint16{reg[[2]uint16](w, s.d[2*j]), reg[[2]uint16](w, s.d[2*j+1])}
		for i := range x {
			var z [8]float32
			out, l := d[i>>3], i&7*4
			for c := range z {
				if scale {
					z[c] = halfToFloat(out[l+c/2][c&1])
				}
			}
			rowTimes(&z, x[i][:s.k], &y[j])
			for c, v := range z {
				out[l+c/2][c&1] = floatToHalf(v)
			}
		}
	}
}

func (s *groupShape) gatherRegs(w *warp, x *[16][16]float32) {
	for r, at := range s.regs {
		if s.wide {
			for l, v := range reg[uint32](w, at) {
				x[l>>2+r&1*8][l&3+r>>1*4] = tensorFloat(v)
			}
			continue
		}
		for l, v := range reg[[2]uint16](w, at) {
			row, col := l>>2+r&1*8, l&3*2+r>>1*8
			x[row][col], x[row][col+1] = s.load(v[0]), s.load(v[1])
		}
	}
}

// gather reads rows of an operand from shared memory.
func (w *warp) gather(in *inst, by *warp, src *matrixSource, s *groupShape, first, rows uint64, put func(r, k int, v float32)) bool {
	per := uint64(8)
	if s.wide {
		per = 4
	}
	stepR, stepK := uint64(1), per
	if src.trans {
		stepR, stepK = per, 1
	}
	for r := uint64(0); r < rows; r += stepR {
		for k := uint64(0); k < uint64(s.k); k += stepK {
			a := src.piece(first+r, k, per)
			if !w.matrixRead(in, a, by) {
				return false
			}
			p := unsafe.Pointer(&w.blk.shared[a])
			if s.wide {
				for i, v := range (*[4]uint32)(p) {
					put(int(r), int(k)+i, tensorFloat(v))
				}
				continue
			}
			for i, v := range (*[8]uint16)(p) {
				if src.trans {
					put(int(r)+i, int(k), s.load(v))
				} else {
					put(int(r), int(k)+i, s.load(v))
				}
			}
		}
	}
	return true
}

// panel returns scratch for the columns of B, eight at a time.
func (a *asyncState) panel(n int) [][16][8]float32 {
	if len(a.scratch) < n {
		a.scratch = make([][16][8]float32, n)
	}
	return a.scratch[:n]
}

// remoteAddress is mapa: in a cluster of one block every address stays what it is.
func remoteAddress(d *decoder) {
	if !d.count(3) {
		return
	}
	d.allow("shared::cluster")
	t := d.typ()
	d.out.d, d.out.a = d.dst(0, t), d.src(1, t)
	rank := d.src(2, ptx.U32)
	move := bySize(t.Size(), nil, movLanes[uint32], movLanes[uint64])
	d.emit(Move, func(w *warp, in *inst) {
		for m := w.exec; m != 0; m &= m - 1 {
			if l := bits.TrailingZeros32(m); reg[uint32](w, rank)[l] != 0 {
				w.fault(BadOperand, in, l, 0, "block %d of a cluster of one", reg[uint32](w, rank)[l])
				return
			}
		}
		move(w, in)
	})
}
