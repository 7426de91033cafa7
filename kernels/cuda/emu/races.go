package emu

import (
	"math/bits"
	"strconv"
)

// races is the sanitizer's shadow of shared memory. Accesses are compared in grains of two bytes; single bytes are not looked at.
type races struct {
	init   []bool   // by byte: was written
	writer []int16  // by grain: component of the clock that wrote last, -1 for none
	kind   []uint8  // by grain: how it was written
	epoch  []uint32 // by grain: when
	line   []int32  // by grain: of the writer's instruction
	reads  []uint32 // by grain and component: epoch of the last read
	flight []uint8  // by byte: 1 for asynchronous writes on their way
	n      int      // components
	// Within a warp, lanes are ordered by bar.warp.sync and barriers only: by grain, who wrote and who read last, several for more than one lane, and the warp's count of those then.
	wlane, rlane []uint8
	wsync, rsync []uint32
	rwarp        []int16
	agent        clockState // of the async proxy, the last component
}

// several is the lane of accesses that more than one made, or that belong to the whole warp.
const several = 255

// The ways to write.
const (
	byStore uint8 = iota
	byAtomic
	byAsync // the async proxy
)

func newRaces(shared, warps int) *races {
	g, n := (shared+1)/2, warps+1
	return &races{init: make([]bool, shared), writer: make([]int16, g), kind: make([]uint8, g), epoch: make([]uint32, g), line: make([]int32, g), wlane: make([]uint8, g), rlane: make([]uint8, g),
		wsync: make([]uint32, g), rsync: make([]uint32, g), rwarp: make([]int16, g), reads: make([]uint32, g*n),
		flight: make([]uint8, shared), n: n}
}

func (r *races) reset() {
	clear(r.init)
	for i := range r.writer {
		r.writer[i], r.rwarp[i] = -1, -1
	}
	clear(r.reads)
	clear(r.flight)
	r.agent.reset(r.n, r.n-1)
}

// asyncWrote marks bytes as written by the async proxy now.
func (r *races) asyncWrote(a, n uint64) {
	for i := a; i < a+n; i++ {
		r.flight[i], r.init[i] = 0, true
	}
	for g := a / 2; g < (a+n)/2; g++ {
		r.writer[g], r.kind[g], r.epoch[g] = int16(r.agent.id), byAsync, r.agent.seen[r.agent.id]
	}
}

// sanitize checks a resolved access lane by lane and records it.
func (w *warp) sanitize(in *inst) bool {
	m := in.mem
	for e := w.exec; e != 0; e &= e - 1 {
		l := bits.TrailingZeros32(e)
		a := w.addrs[l]
		switch {
		case m.inShared(a):
			if !w.sharedAccess(in, l, a, m.bytes, false) {
				return false
			}
		case m.global(a):
			if !w.globalAccess(in, l, a) {
				return false
			}
		}
	}
	return true
}

// globalAccess checks that what is read was written.
func (w *warp) globalAccess(in *inst, l int, a uint64) bool {
	m := w.hot
	if m == nil || a-m.base >= m.size {
		if m = w.blk.dev.mem.find(a); m == nil {
			return true
		}
	}
	if m.init == nil {
		return true
	}
	off, n := a-m.base, in.mem.bytes
	if in.mem.read {
		for i, ok := range m.init[off : off+n] {
			if ok == 0 {
				w.fault(Uninitialised, in, l, a+uint64(i), "byte %d of an allocation of %d bytes", off+uint64(i), m.size)
				return false
			}
		}
	}
	if m.owners != nil && !w.blocksOrdered(in, l, m, off) {
		return false
	}
	if in.mem.write {
		m.written(off, int(n))
	}
	return true
}

// sharedAccess checks an access of n bytes of shared memory against those before it and records it. async tells the async proxy's accesses from generic ones.
func (w *warp) sharedAccess(in *inst, l int, a, n uint64, async bool) bool {
	r, m := w.blk.races, in.mem
	read, write, atomic := m.read, m.write, m.atomic
	if read && !w.readable(in, l, a, n) {
		return false
	}
	if write {
		for i := a; i < a+n; i++ {
			if r.flight[i] != 0 {
				w.fault(MissingWait, in, l, a, "an asynchronous copy to this address is not waited for")
				return false
			}
			r.init[i] = true
		}
	}
	if n < 2 {
		return true
	}
	kind, lane := byStore, uint8(l)
	if atomic {
		kind = byAtomic
	}
	if m.wide16 {
		lane = several
	}
	for g := a / 2; g < (a+n)/2; g++ {
		if !w.ordered(in, l, a, int(g), write, atomic, async) || !w.lanesOrdered(in, l, lane, a, int(g), write, atomic) {
			return false
		}
		if write {
			r.writer[g], r.kind[g], r.epoch[g] = int16(w.clock.id), kind, w.clock.seen[w.clock.id]
			r.line[g] = int32(in.asm.Line)
			r.wlane[g], r.wsync[g] = lane, w.syncs
		}
		if read && !atomic {
			r.reads[int(g)*r.n+w.clock.id] = w.clock.seen[w.clock.id]
			r.readBy(int(g), w, lane)
		}
	}
	return true
}

// readBy records a read within the warp.
func (r *races) readBy(g int, w *warp, lane uint8) {
	id := int16(w.clock.id)
	if r.rwarp[g] == id && r.rsync[g] == w.syncs && r.rlane[g] != lane {
		lane = several
	}
	r.rwarp[g], r.rsync[g], r.rlane[g] = id, w.syncs, lane
}

// lanesOrdered checks one grain against accesses by other lanes of the warp since its last bar.warp.sync. Lanes that write one place by one instruction are let pass.
func (w *warp) lanesOrdered(in *inst, l int, lane uint8, a uint64, g int, write, atomic bool) bool {
	r, id := w.blk.races, int16(w.clock.id)
	if r.writer[g] == id && r.wsync[g] == w.syncs && r.wlane[g] != lane && !(atomic && r.kind[g] == byAtomic) && !(write && r.line[g] == int32(in.asm.Line)) {
		w.fault(SharedRace, in, l, a, "%s of this warp wrote it at line %d and no bar.warp.sync lies between", laneName(r.wlane[g]), r.line[g])
		return false
	}
	if write && r.rwarp[g] == id && r.rsync[g] == w.syncs && r.rlane[g] != lane {
		w.fault(SharedRace, in, l, a, "%s of this warp reads it and no bar.warp.sync lies between", laneName(r.rlane[g]))
		return false
	}
	return true
}

func laneName(l uint8) string {
	if l == several {
		return "more than one lane"
	}
	return "lane " + strconv.Itoa(int(l))
}

// readable checks that bytes were written and that no asynchronous copy is about to write them.
func (w *warp) readable(in *inst, l int, a, n uint64) bool {
	r := w.blk.races
	for i := a; i < a+n; i++ {
		if r.flight[i] != 0 {
			w.fault(MissingWait, in, l, a, "an asynchronous copy to this address is not waited for")
			return false
		}
		if !r.init[i] {
			w.fault(Uninitialised, in, l, i, "shared memory that nobody wrote")
			return false
		}
	}
	return true
}

// ordered checks one grain.
func (w *warp) ordered(in *inst, l int, a uint64, g int, write, atomic, async bool) bool {
	r, c := w.blk.races, &w.clock
	if by := int(r.writer[g]); by >= 0 {
		if by != c.id && r.epoch[g] > c.seen[by] && !(atomic && r.kind[g] == byAtomic) {
			w.fault(SharedRace, in, l, a, "%s wrote it at line %d and no barrier lies between", w.blk.party(by), r.line[g])
			return false
		}
		if async && r.kind[g] != byAsync && r.epoch[g] > c.proxy[by] {
			w.fault(ProxyFence, in, l, a, "%s wrote it at line %d without fence.proxy.async before this access by the async proxy", w.blk.party(by), r.line[g])
			return false
		}
	}
	if !write {
		return true
	}
	for by := range r.n {
		if by != c.id && r.reads[g*r.n+by] > c.seen[by] {
			w.fault(SharedRace, in, l, a, "%s reads it and no barrier lies between", w.blk.party(by))
			return false
		}
	}
	return true
}

// party names a component of the clocks.
func (b *block) party(i int) string {
	if i == len(b.warps) {
		return "an asynchronous copy"
	}
	return "warp " + strconv.Itoa(i)
}
