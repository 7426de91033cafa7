package emu

import (
	"math"

	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/emu/ptx"
)

// boxCopy is a copy between a tensor in global memory and a box in shared memory.
type boxCopy struct {
	tensor driver.Tiled
	at     [driver.MaxTensorMapRank]int32 // of the box's first element
	smem   uint64
	in     *inst
	w      *warp
	lane   int
	sum    bulkReduction // into the tensor, when it is not a copy
}

// tensorAt reads the tensor map at a generic address.
func (w *warp) tensorAt(in *inst, l int, a uint64, rank int) (t driver.Tiled, ok bool) {
	var raw []byte
	switch spaceAt(a) {
	case ptx.Parameter:
		if off := a - paramWindow; off <= uint64(len(w.blk.params)) && uint64(len(w.blk.params))-off >= 128 {
			raw = w.blk.params[off : off+128]
		}
	case ptx.Global:
		if raw = w.globalBytes(in, l, a, 128, false); raw == nil {
			return t, false
		}
	}
	if t, ok = decodeTiled(raw); !ok || a%64 != 0 {
		w.fault(BadOperand, in, l, a, "this is not the address of a tensor map")
		return t, false
	}
	if t.Rank != rank {
		w.fault(BadOperand, in, l, a, "the tensor map has %d dimensions, the instruction %d", t.Rank, rank)
		return t, false
	}
	return t, true
}

// bytes is the size of the box.
func (b *boxCopy) bytes() uint64 {
	n := uint64(b.tensor.Type.Size())
	for i := range b.tensor.Rank {
		n *= uint64((b.tensor.Box[i] + b.tensor.Steps[i] - 1) / b.tensor.Steps[i])
	}
	return n
}

func (b *boxCopy) check() bool {
	toShared := b.in.asm.Args[0].Kind == ptx.KMem && len(b.in.asm.Args[0].List) == 1
	if b.smem%128 != 0 {
		b.w.fault(Misaligned, b.in, b.lane, b.smem, "the box in shared memory must be at a multiple of 128")
		return false
	}
	if row := int(b.tensor.Box[0]) * b.tensor.Type.Size(); b.tensor.Swizzle != driver.NoSwizzle && row != 16<<b.tensor.Swizzle {
		b.w.fault(BadOperand, b.in, b.lane, 0, "rows of %d bytes with a swizzle of %d are not supported", row, 16<<b.tensor.Swizzle)
		return false
	}
	return b.w.asyncShared(b.in, b.lane, b.smem, b.bytes(), toShared)
}

// swizzled permutes 16-byte pieces: address bits 4 and up are xored with bits 7 and up, one to three of them.
func swizzled(a uint64, bits int) uint64 { return a ^ a>>3&((1<<bits-1)<<4) }

// each calls f for the runs of the box's rows: global address and number of elements inside the tensor, shared address, elements of the row.
func (b *boxCopy) each(f func(index [driver.MaxTensorMapRank]int64, offset uint64)) {
	t := &b.tensor
	var i [driver.MaxTensorMapRank]uint32
	size := uint64(t.Type.Size())
	for offset := uint64(0); ; {
		var index [driver.MaxTensorMapRank]int64
		for k := range t.Rank {
			index[k] = int64(b.at[k]) + int64(i[k])
		}
		f(index, offset)
		offset += size * uint64((t.Box[0]+t.Steps[0]-1)/t.Steps[0])
		k := 1
		for ; k < t.Rank; k++ {
			if i[k] += t.Steps[k]; i[k] < t.Box[k] {
				break
			}
			i[k] = 0
		}
		if k >= t.Rank {
			return
		}
	}
}

// row returns the address of a row's start at element 0 of dimension 0; ok is false when another dimension is outside.
func (b *boxCopy) row(index [driver.MaxTensorMapRank]int64) (a uint64, ok bool) {
	t := &b.tensor
	a = uint64(t.Base)
	for k := 1; k < t.Rank; k++ {
		if index[k] < 0 || index[k] >= int64(t.Dims[k]) {
			return 0, false
		}
		a += uint64(index[k]) * t.Strides[k-1]
	}
	return a, true
}

// load fills the box: elements outside the tensor are zero, or NaN when the map says so.
func (b *boxCopy) load() {
	t, size := &b.tensor, uint64(b.tensor.Type.Size())
	shared := b.w.blk.shared
	b.each(func(index [driver.MaxTensorMapRank]int64, offset uint64) {
		row, inside := b.row(index)
		x := index[0]
		first, last := max(x, 0), min(x+int64(t.Box[0]), int64(t.Dims[0]))
		var data []byte
		if inside && first < last {
			if data = b.w.globalBytes(b.in, b.lane, row+uint64(first)*size, uint64(last-first)*size, false); data == nil {
				return
			}
		}
		for e := uint32(0); e < t.Box[0]; e += t.Steps[0] {
			to := swizzled(b.smem+offset+uint64(e/t.Steps[0])*size, int(t.Swizzle))
			if at := x + int64(e); data != nil && at >= first && at < last {
				copy(shared[to:to+size], data[uint64(at-first)*size:])
			} else {
				b.outside(shared[to : to+size])
			}
		}
	})
}

// outside fills an element that lies beyond the tensor.
func (b *boxCopy) outside(p []byte) {
	clear(p)
	if !b.tensor.NaNFill {
		return
	}
	switch b.tensor.Type {
	case driver.F16, driver.BF16:
		p[0], p[1] = 0xff, 0x7f
	case driver.F32:
		u := math.Float32bits(float32(math.NaN()))
		p[0], p[1], p[2], p[3] = byte(u), byte(u>>8), byte(u>>16), byte(u>>24)
	}
}

// store writes the part of the box that lies inside the tensor.
func (b *boxCopy) store() bool {
	t, size := &b.tensor, uint64(b.tensor.Type.Size())
	ok := true
	b.each(func(index [driver.MaxTensorMapRank]int64, offset uint64) {
		row, inside := b.row(index)
		x := index[0]
		first, last := max(x, 0), min(x+int64(t.Box[0]), int64(t.Dims[0]))
		if !ok || !inside || first >= last {
			return
		}
		if b.sum.update != nil && b.w.globalBytes(b.in, b.lane, row+uint64(first)*size, uint64(last-first)*size, false) == nil {
			ok = false
			return
		}
		data := b.w.globalBytes(b.in, b.lane, row+uint64(first)*size, uint64(last-first)*size, true)
		if data == nil {
			ok = false
			return
		}
		for at := first; at < last; at++ {
			from := swizzled(b.smem+offset+uint64(at-x)*size, int(t.Swizzle))
			b.sum.store(data[uint64(at-first)*size:][:size], b.w.blk.shared[from:from+size])
		}
	})
	return ok
}
