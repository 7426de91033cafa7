package emu

import (
	"math/bits"
	"unsafe"
)

// asyncState is what a warp has under way: copies of cp.async in groups, bulk copies to global memory and products of wgmma.
type asyncState struct {
	copies    []*smallCopy
	spare     []*smallCopy
	committed [lanes]uint32 // groups of cp.async that each lane has closed
	issued    uint64        // cp.async so far

	stores     []*bulkStore
	bulkClosed [lanes]uint32 // groups of bulk copies

	products       []groupProduct
	productsClosed uint32
	fenced         bool // wgmma.fence since the last wait
	scratch        [][16][8]float32
}

// smallCopy is one cp.async of a warp. Its bytes move when a wait of their lane asks for them, not before.
type smallCopy struct {
	number uint64
	mask   uint32 // lanes whose copy has not been made
	n      int    // bytes written by a lane
	dst    [lanes]uint32
	src    [lanes]unsafe.Pointer
	size   [lanes]uint8 // bytes read; the rest is zero
	group  [lanes]uint32
}

func (a *asyncState) reset() {
	a.spare = append(a.spare, a.copies...)
	a.copies = a.copies[:0]
	a.committed, a.bulkClosed = [lanes]uint32{}, [lanes]uint32{}
	a.stores, a.products = a.stores[:0], a.products[:0]
	a.issued, a.productsClosed, a.fenced = 0, 0, false
}

// atEnd is called when the warp has ended. Copies to shared memory nobody waited for are still made; a product or a copy to global memory that was never waited for is a
// fault: its result is lost, or the block's memory gone while it is read.
func (a *asyncState) atEnd(w *warp) {
	if len(a.products) > 0 {
		w.fault(MissingWait, a.products[0].in, 0, 0, "wgmma.wait_group never waits for it")
		return
	}
	if len(a.stores) > 0 {
		w.fault(MissingWait, a.stores[0].in, a.stores[0].lane, 0, "cp.async.bulk.wait_group never waits for it")
		return
	}
	w.deliver(every, func(*smallCopy, int) bool { return true })
}

// issue queues a copy.
func (w *warp) issue(n int) *smallCopy {
	a := &w.async
	var c *smallCopy
	if k := len(a.spare); k > 0 {
		c, a.spare = a.spare[k-1], a.spare[:k-1]
	} else {
		c = &smallCopy{}
	}
	a.issued++
	c.number, c.mask, c.n, c.group = a.issued, w.exec, n, a.committed
	a.copies = append(a.copies, c)
	return c
}

// deliver makes the copies of some lanes that are due.
func (w *warp) deliver(set uint32, due func(c *smallCopy, lane int) bool) {
	a := &w.async
	kept := a.copies[:0]
	for _, c := range a.copies {
		for m := c.mask & set; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			if due(c, l) {
				c.mask &^= 1 << l
				w.move(c, l)
			}
		}
		if c.mask != 0 {
			kept = append(kept, c)
		} else {
			a.spare = append(a.spare, c)
		}
	}
	a.copies = kept
}

// move makes the copy of one lane.
func (w *warp) move(c *smallCopy, l int) {
	at := c.dst[l]
	to := w.blk.shared[at : int(at)+c.n]
	size := int(c.size[l])
	if size > 0 {
		copy(to, unsafe.Slice((*byte)(c.src[l]), size))
	}
	clear(to[size:])
	if r := w.blk.races; r != nil {
		r.landed(w, l, uint64(at), uint64(c.n))
	}
}

// landed marks a copy's bytes as written by the lane now.
func (r *races) landed(w *warp, l int, a, n uint64) {
	for i := a; i < a+n; i++ {
		r.flight[i] = 0
	}
	for g := a / 2; g < (a+n)/2; g++ {
		r.writer[g], r.kind[g], r.epoch[g] = int16(w.clock.id), byStore, w.clock.seen[w.clock.id]
		r.wlane[g], r.wsync[g] = uint8(l), w.syncs
	}
}

// waitGroups makes the copies of the lanes of exec whose group is not among the last n closed ones.
func (w *warp) waitGroups(n uint32) {
	w.deliver(w.exec, func(c *smallCopy, l int) bool { return c.group[l]+n < w.async.committed[l] })
}
