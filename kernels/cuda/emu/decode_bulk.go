package emu

import (
	"math/bits"
	"slices"
	"strings"

	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/emu/ptx"
)

var bulkWords = []string{"async", "bulk", "tensor", "1d", "2d", "3d", "4d", "5d", "tile", "mbarrier::complete_tx::bytes", "bulk_group", "reduce", "noftz"}

// bulkCopy is cp.async.bulk with and without a tensor map, in both directions.
func bulkCopy(d *decoder) {
	switch {
	case d.has("commit_group"):
		d.emit(Async, func(w *warp, _ *inst) {
			for m := w.exec; m != 0; m &= m - 1 {
				w.async.bulkClosed[bits.TrailingZeros32(m)]++
			}
		})
		return
	case d.has("wait_group"):
		n := uint32(d.immediate(0))
		d.emit(Barrier, func(w *warp, _ *inst) {
			w.store(func(s *bulkStore) bool { return w.exec>>s.lane&1 != 0 && s.group+n < w.async.bulkClosed[s.lane] })
		})
		return
	}
	d.dropHint()
	if d.has("prefetch") { // into the second-level cache
		d.emit(Async, func(*warp, *inst) {})
		return
	}
	d.allowMemory(append(slices.Clone(atomicOps), bulkWords...)...)
	spaces := slices.DeleteFunc(slices.Clone(d.in.Mods), func(m string) bool {
		head, _, _ := strings.Cut(m, "::")
		return ptx.SpaceOf(head) == ptx.NoSpace
	})
	if len(spaces) != 2 {
		d.fail("two state spaces are wanted")
		return
	}
	toShared := strings.HasPrefix(spaces[0], "shared")
	switch {
	case d.has("tensor") && toShared && d.has("reduce"):
		d.fail("this form is not supported")
	case d.has("tensor"):
		d.tensorCopy(toShared)
	case toShared && strings.HasPrefix(spaces[1], "shared"):
		d.sharedBulk()
	case toShared && d.has("reduce"):
		d.fail("this form is not supported")
	default:
		d.plainBulk(toShared)
	}
}

// bulkOperand is an address operand of a bulk copy: base register and, with a tensor map, coordinates.
type bulkOperand struct {
	mem    *access
	coords []int32
}

func (d *decoder) bulkOperand(i int, space ptx.Space) (b bulkOperand) {
	o := d.arg(i)
	if o.Kind != ptx.KMem {
		d.fail("operand %d must be an address in brackets", i+1)
		b.mem = &access{base: -1}
		return b
	}
	for _, c := range o.List[1:] {
		b.coords = append(b.coords, d.value(c, ptx.B32))
	}
	o.List = o.List[:1]
	b.mem = d.addressed(o, space, 1)
	return b
}

// at returns the address a lane gives.
func (b *bulkOperand) at(w *warp, l int) uint64 {
	a := b.mem.off
	switch {
	case b.mem.base < 0:
	case b.mem.wide:
		a += reg[uint64](w, b.mem.base)[l]
	default:
		a += uint64(reg[uint32](w, b.mem.base)[l])
	}
	if b.mem.space == ptx.Shared && a >= sharedWindow && a < localWindow {
		a -= sharedWindow
	}
	return a
}

// tensorCopy moves a box of a tensor. The map's address is generic.
func (d *decoder) tensorCopy(toShared bool) {
	var smem, tensor bulkOperand
	bar := bulkOperand{}
	if toShared {
		if len(d.in.Args) < 3 {
			d.fail("operands are missing")
			return
		}
		smem, tensor, bar = d.bulkOperand(0, ptx.Shared), d.bulkOperand(1, ptx.NoSpace), d.bulkOperand(2, ptx.Shared)
	} else {
		tensor, smem = d.bulkOperand(0, ptx.NoSpace), d.bulkOperand(1, ptx.Shared)
	}
	rank := slices.IndexFunc([]string{"1d", "2d", "3d", "4d", "5d"}, d.has) + 1
	if rank != len(tensor.coords) {
		d.fail("%d coordinates, want %d", len(tensor.coords), rank)
		return
	}
	op := d.reduction()
	d.emit(Async, func(w *warp, in *inst) {
		for m := w.exec; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			t, ok := w.tensorAt(in, l, tensor.at(w, l), rank)
			if !ok {
				return
			}
			var at [driver.MaxTensorMapRank]int32
			for i, c := range tensor.coords {
				at[i] = int32(reg[uint32](w, c)[l])
			}
			box := &boxCopy{tensor: t, at: at, smem: smem.at(w, l), in: in, w: w, lane: l}
			if op != "" && !box.reduces(op) || !box.check() {
				return
			}
			if !toShared {
				w.async.stores = append(w.async.stores, &bulkStore{lane: l, group: w.async.bulkClosed[l], bytes: box.bytes(), smem: box.smem, in: in, run: box.store})
				continue
			}
			w.addrs[l] = bar.at(w, l)
			b := w.barrierAt(in, l)
			if b == nil {
				return
			}
			w.fly(box.smem, box.bytes())
			b.late = append(b.late, func() {
				box.load()
				w.arrived(b, box.smem, box.bytes())
			})
		}
	})
}

// arrived ends a bulk copy to shared memory: its bytes are there and the mbarrier knows.
func (w *warp) arrived(b *mbar, at, n uint64) {
	w.blk.count.AsyncBytes += n
	if w.blk.dev.opts.Profile {
		w.blk.count.GlobalRequests++
		w.blk.count.GlobalBytes += n
		w.blk.count.GlobalSectors += (n + 31) / 32
	}
	w.landedBulk(b, at, n)
}

// landedBulk tells the sanitizer and the mbarrier that bytes of shared memory are there.
func (w *warp) landedBulk(b *mbar, at, n uint64) {
	if r := w.blk.races; r != nil {
		r.asyncWrote(at, n)
		r.agent.release(&b.open)
	}
	b.tx -= int64(n)
	b.settle()
}

// fly marks bytes of shared memory that an asynchronous write will change.
func (w *warp) fly(at, n uint64) {
	if r := w.blk.races; r != nil {
		for i := at; i < at+n; i++ {
			r.flight[i] = 1
		}
	}
}

// plainBulk moves bytes between shared and global memory, both at multiples of 16.
func (d *decoder) plainBulk(toShared bool) {
	want := 3
	if toShared {
		want = 4
	}
	if len(d.in.Args) < want {
		d.fail("%d operands, want %d", len(d.in.Args), want)
		return
	}
	smem, global := d.bulkOperand(1, ptx.Shared), d.bulkOperand(0, ptx.Global)
	bar := bulkOperand{}
	if toShared {
		smem, global, bar = d.bulkOperand(0, ptx.Shared), d.bulkOperand(1, ptx.Global), d.bulkOperand(3, ptx.Shared)
	}
	size := d.src(2, ptx.U32)
	r := d.bulkReduction()
	d.emit(Async, func(w *warp, in *inst) {
		for m := w.exec; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			s, g, n := smem.at(w, l), global.at(w, l), uint64(reg[uint32](w, size)[l])
			if s%16 != 0 || g%16 != 0 || n%16 != 0 {
				w.fault(Misaligned, in, l, g, "bulk copy of %d bytes, shared address %#x: all must be multiples of 16", n, s)
				return
			}
			if !w.asyncShared(in, l, s, n, toShared) {
				return
			}
			if r.update != nil && w.globalBytes(in, l, g, n, false) == nil { // it reads what it adds to
				return
			}
			data := w.globalBytes(in, l, g, n, !toShared)
			if data == nil {
				return
			}
			local := w.blk.shared[s : s+n]
			if !toShared {
				w.async.stores = append(w.async.stores, &bulkStore{lane: l, group: w.async.bulkClosed[l], bytes: n, smem: s, in: in, run: func() bool { r.store(data, local); return true }})
				continue
			}
			w.addrs[l] = bar.at(w, l)
			b := w.barrierAt(in, l)
			if b == nil {
				return
			}
			w.fly(s, n)
			b.late = append(b.late, func() {
				copy(local, data)
				w.arrived(b, s, n)
			})
		}
	})
}

// globalBytes returns n bytes of device memory, or nil and a fault.
func (w *warp) globalBytes(in *inst, l int, a, n uint64, write bool) []byte {
	m := w.blk.dev.mem.find(a)
	if m == nil {
		kind, why := w.blk.dev.mem.explain(a)
		w.fault(kind, in, l, a, "%s", why)
		return nil
	}
	off := a - m.base
	switch {
	case m.size-off < n:
		w.fault(OutOfBounds, in, l, a, "%d bytes at byte %d of an allocation of %d bytes", n, off, m.size)
		return nil
	case write && m.readOnly:
		w.fault(ReadOnlyWrite, in, l, a, "variable %s", m.name)
		return nil
	}
	if m.init != nil {
		if write {
			m.written(off, int(n))
		} else if i := slices.Index(m.init[off:off+n], 0); i >= 0 {
			w.fault(Uninitialised, in, l, a+uint64(i), "byte %d of an allocation of %d bytes", off+uint64(i), m.size)
			return nil
		}
	}
	if m.touched[0] != nil && n > 0 {
		which := readSectors
		if write {
			which = writtenSectors
		}
		m.touch(which, off, n)
	}
	return m.data[off : off+n]
}

// asyncShared checks an access of the async proxy to shared memory at the time it is issued.
func (w *warp) asyncShared(in *inst, l int, a, n uint64, write bool) bool {
	if size := uint64(len(w.blk.shared)); a > size || size-a < n {
		w.fault(OutOfBounds, in, l, a, "%d bytes; shared memory has %d bytes", n, size)
		return false
	}
	if w.blk.races == nil {
		return true
	}
	acc := *in
	acc.mem = &access{space: ptx.Shared, read: !write, write: write}
	return w.sharedAccess(&acc, l, a, n, true)
}

// bulkStore is a copy from shared to global memory that has been issued.
type bulkStore struct {
	lane  int
	group uint32
	bytes uint64
	smem  uint64
	in    *inst
	run   func() bool
}

// store makes the bulk copies to global memory that are due.
func (w *warp) store(due func(s *bulkStore) bool) {
	kept := w.async.stores[:0]
	for _, s := range w.async.stores {
		if !due(s) {
			kept = append(kept, s)
			continue
		}
		// The bytes are read until now: what happened to them since the issue is checked again.
		if !w.asyncShared(s.in, s.lane, s.smem, s.bytes, false) || !s.run() {
			return
		}
		w.blk.count.AsyncBytes += s.bytes
		if w.blk.dev.opts.Profile {
			w.blk.count.GlobalRequests++
			w.blk.count.GlobalBytes += s.bytes
			w.blk.count.GlobalSectors += (s.bytes + 31) / 32
		}
	}
	w.async.stores = kept
}
