package emu

import "fmt"

// waitKind is what a warp waits for.
type waitKind uint8

const (
	onBar     waitKind = iota // a barrier to complete
	onPhase                   // the phase of an mbarrier; the instruction is tried again
	onCluster                 // the cluster barrier
	onGroup                   // the other warps of the warpgroup to issue products; the instruction is tried again
)

// waiter is what a waiting warp waits for.
type waiter struct {
	kind  waitKind
	bar   int    // number of the barrier, or shared address of the mbarrier
	round uint64 // of the barrier when the warp arrived
	seen  uint64 // its version when the try failed
	red   int32  // where bar.red puts its result, -1 for none
	op    int    // of bar.red: popc, and, or
}

// ready reports whether a waiting warp can go on.
func (w *warp) ready() bool {
	switch w.wait.kind {
	case onPhase:
		m := w.blk.mbars[uint32(w.wait.bar)]
		return m == nil || m.version != w.wait.seen || len(m.late) > 0
	case onGroup:
		return w.issuedByGroup(uint32(w.wait.round))
	default:
		b := &w.blk.bars[w.wait.bar]
		if b.round == w.wait.round {
			return false
		}
		w.clock.acquire(&b.clock)
		if w.wait.kind == onBar && w.wait.op >= 0 {
			w.reduced(b)
		}
		return true
	}
}

// reduced writes the result of bar.red.
func (w *warp) reduced(b *bar) {
	switch w.wait.op {
	case 0:
		fillSet(reg[uint32](w, w.wait.red), w.exec, uint32(b.rCount))
	case 1:
		setPred(w, w.wait.red, -bit(b.rMiss == 0))
	default:
		setPred(w, w.wait.red, -bit(b.rCount > 0))
	}
}

func (wt *waiter) describe(b *block) string {
	switch wt.kind {
	case onPhase:
		if m := b.mbars[uint32(wt.bar)]; m != nil {
			return fmt.Sprintf("the mbarrier at shared address %#x, phase %d, %d arrivals and %d bytes pending", wt.bar, m.phase, m.pending, m.tx)
		}
		return fmt.Sprintf("the mbarrier at shared address %#x", wt.bar)
	case onGroup:
		return "the other warps of its warpgroup to issue wgmma"
	case onCluster:
		return "the cluster barrier"
	}
	return fmt.Sprintf("barrier %d, where %d threads have arrived", wt.bar, b.bars[wt.bar].arrived)
}
