package emu

import (
	"math/bits"

	"artel/kernels/cuda/emu/ptx"
)

// mbar is an mbarrier object. Its state is kept here; the eight bytes in shared memory only count as written.
type mbar struct {
	count   int64  // arrivals of a phase
	pending int64  // arrivals that are missing
	tx      int64  // bytes that are missing
	phase   uint64 // completed phases
	version uint64 // changes when a phase completes
	// open collects the clocks of this phase's arrivals, done holds those of all completed phases.
	open, done syncClock
	// late holds what counts towards this phase and has not been made to happen: bulk copies and arrivals of cp.async.
	late []func()
}

// settle completes the phase when nothing is missing.
func (m *mbar) settle() {
	if m.pending != 0 || m.tx != 0 {
		return
	}
	m.phase++
	m.version++
	m.pending = m.count
	if len(m.open.seen) > 0 {
		if len(m.done.seen) == 0 {
			m.done.seen, m.done.proxy = make([]uint32, len(m.open.seen)), make([]uint32, len(m.open.seen))
		}
		joinClock(m.done.seen, m.open.seen)
		joinClock(m.done.proxy, m.open.proxy)
	}
}

// land makes late things happen.
func (m *mbar) land() {
	late := m.late
	m.late = nil
	for _, f := range late {
		f()
	}
}

// barrierAt returns the mbarrier a lane names, or fails.
func (w *warp) barrierAt(in *inst, l int) *mbar {
	a := w.addrs[l]
	if a >= sharedWindow && a < localWindow {
		a -= sharedWindow
	}
	if m := w.blk.mbars[uint32(a)]; m != nil && a < localWindow {
		return m
	}
	w.fault(BadOperand, in, l, a, "no mbarrier is initialised at this shared address")
	return nil
}

// memoryBarrier is mbarrier with its many second words.
func memoryBarrier(d *decoder) {
	d.allowMemory("init", "inval", "arrive", "expect_tx", "complete_tx", "test_wait", "try_wait", "parity", "noComplete")
	switch {
	case d.has("init") && d.count(2):
		d.initBarrier()
	case d.has("inval") && d.count(1):
		d.out.mem = d.shared(0, 8)
		d.emit(Barrier, func(w *warp, in *inst) {
			w.addresses(in.mem)
			for m := w.exec; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m)
				if w.barrierAt(in, l) == nil {
					return
				}
				delete(w.blk.mbars, uint32(w.addrs[l]))
			}
		})
	case d.has("arrive"):
		d.arriveBarrier()
	case (d.has("expect_tx") || d.has("complete_tx")) && d.count(2):
		d.out.mem, d.out.a = d.shared(0, 8), d.src(1, ptx.U32)
		sign := int64(1)
		if d.has("complete_tx") {
			sign = -1
		}
		d.emit(Barrier, func(w *warp, in *inst) {
			w.eachBarrier(in, func(m *mbar, l int) { m.tx += sign * int64(reg[uint32](w, in.a)[l]) })
		})
	case d.has("test_wait") || d.has("try_wait"):
		d.waitBarrier()
	default:
		d.fail("this form is not supported")
	}
}

// shared is memory for operands that lie in shared memory whatever the opcode says.
func (d *decoder) shared(i, n int) *access {
	o := d.arg(i)
	if o.Kind != ptx.KMem || len(o.List) != 1 {
		d.fail("operand %d must be an address in brackets", i+1)
		return &access{base: -1}
	}
	s := d.spaceMod()
	if s != ptx.NoSpace {
		s = ptx.Shared
	}
	return d.addressed(o, s, n)
}

func (d *decoder) initBarrier() {
	d.out.mem, d.out.a = d.shared(0, 8), d.src(1, ptx.U32)
	d.out.mem.write = true
	d.emit(Barrier, func(w *warp, in *inst) {
		if !w.resolve(in) {
			return
		}
		for m := w.exec; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			n := reg[uint32](w, in.a)[l]
			if n == 0 || n >= 1<<20 {
				w.fault(BadOperand, in, l, w.addrs[l], "%d arrivals, want 1 to 2^20-1", n)
				return
			}
			w.blk.mbars[uint32(w.addrs[l])] = &mbar{count: int64(n), pending: int64(n)}
		}
	})
}

// eachBarrier calls f for the mbarrier of each lane and completes phases.
func (w *warp) eachBarrier(in *inst, f func(m *mbar, l int)) {
	w.addresses(in.mem)
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		b := w.barrierAt(in, l)
		if b == nil {
			return
		}
		f(b, l)
		if b.pending < 0 {
			w.fault(BadOperand, in, l, w.addrs[l], "more arrivals than the mbarrier's count of %d", b.count)
			return
		}
		b.settle()
	}
}

func (d *decoder) arriveBarrier() {
	args := d.in.Args
	out := int32(-1)
	if len(args) > 0 && args[0].Kind != ptx.KMem {
		if args[0].Kind != ptx.KSink {
			out = d.dst(0, ptx.B64)
		}
		args = args[1:]
		d.out.mem = d.shared(1, 8)
	} else {
		d.out.mem = d.shared(0, 8)
	}
	if n := len(args); n < 1 || n > 2 || d.has("noComplete") {
		d.fail("this form is not supported")
		return
	}
	n, expect := int32(-1), d.has("expect_tx")
	if len(args) == 2 {
		n = d.value(args[1], ptx.U32)
	} else if expect {
		d.fail("a number of bytes is missing")
	}
	d.emit(Barrier, func(w *warp, in *inst) {
		var last *mbar
		w.eachBarrier(in, func(m *mbar, l int) {
			if m != last {
				w.clock.release(&m.open)
				last = m
			}
			if out >= 0 {
				reg[uint64](w, out)[l] = m.phase
			}
			arrivals := int64(1)
			if n >= 0 {
				v := int64(reg[uint32](w, n)[l])
				if expect {
					m.tx += v
				} else {
					arrivals = v
				}
			}
			m.pending -= arrivals
		})
	})
}

// waitBarrier is test_wait and try_wait. A phase is over when its number, or its parity, is no longer the current one.
func (d *decoder) waitBarrier() {
	n := len(d.in.Args)
	if n != 3 && n != 4 {
		d.fail("%d operands, want 3 or 4", n)
		return
	}
	d.out.d, d.out.mem = d.predDst(d.arg(0)), d.shared(1, 8)
	parity, try := d.has("parity"), d.has("try_wait")
	if parity {
		d.out.a = d.src(2, ptx.U32)
	} else {
		d.out.a = d.src(2, ptx.B64)
	}
	over := func(w *warp, in *inst, m *mbar, l int) bool {
		if parity {
			return m.phase&1 != uint64(reg[uint32](w, in.a)[l]&1)
		}
		return m.phase > reg[uint64](w, in.a)[l]
	}
	d.emit(Barrier, func(w *warp, in *inst) {
		w.addresses(in.mem)
		var yes uint32
		for m := w.exec; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			b := w.barrierAt(in, l)
			if b == nil {
				return
			}
			if !over(w, in, b, l) {
				b.land()
			}
			switch {
			case over(w, in, b, l):
				yes |= 1 << l
				w.clock.acquire(&b.done)
				w.syncs++
			case try:
				w.wait = waiter{kind: onPhase, bar: int(uint32(w.addrs[l])), seen: b.version}
				w.state = waiting
				w.again()
				return
			default:
				w.state = yielding
			}
		}
		setPred(w, in.d, yes)
	})
}

// arriveCopies is cp.async.mbarrier.arrive: an arrival that happens when the copies the lane has issued so far are made.
func (d *decoder) arriveCopies() {
	d.allowMemory("async", "mbarrier", "arrive", "noinc")
	if !d.count(1) {
		return
	}
	d.out.mem = d.shared(0, 8)
	noinc := d.has("noinc")
	d.emit(Async, func(w *warp, in *inst) {
		w.eachBarrier(in, func(m *mbar, l int) {
			if !noinc {
				m.pending++
			}
			issued := w.async.issued
			m.late = append(m.late, func() {
				w.deliver(1<<l, func(c *smallCopy, _ int) bool { return c.number <= issued })
				w.clock.release(&m.open)
				m.pending--
				m.settle()
			})
		})
	})
}
