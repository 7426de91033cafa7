package emu

// numBars is the 16 barriers of a block and one for the cluster, which is a single block here.
const (
	numBars    = 17
	clusterBar = 16
)

// bar is a barrier of a block.
type bar struct {
	round   uint64 // completions so far
	arrived int    // threads
	want    int    // threads; 0 while nobody has arrived, -1 for all of the block
	clock   syncClock
	// For bar.red: what the threads brought so far, and the result of the last round.
	count, miss   int // threads whose predicate holds, or not
	rCount, rMiss int
}

// arrive adds n threads to a barrier that wants a number of threads, or -1 for all. It reports whether the warp must wait; at the last arrival it need not.
func (b *block) arrive(w *warp, in *inst, id, n, want int) {
	br := &b.bars[id]
	if br.arrived > 0 && br.want != want {
		w.fault(BadOperand, in, w.lane(), 0, "barrier %d: this warp wants %d threads, those before it %d", id, want, br.want)
		return
	}
	br.want = want
	br.arrived += n
	w.syncs++
	w.clock.release(&br.clock)
	b.complete(id)
}

// complete ends the round of a barrier when enough threads have arrived.
func (b *block) complete(id int) {
	br := &b.bars[id]
	if br.arrived == 0 {
		return
	}
	want := br.want
	if want < 0 {
		want = b.alive()
	}
	if br.arrived < want {
		return
	}
	br.arrived, br.want = 0, 0
	br.rCount, br.rMiss = br.count, br.miss
	br.count, br.miss = 0, 0
	br.round++
}

// alive is the number of threads of warps that have not ended, as barriers count them: whole warps.
func (b *block) alive() int {
	n := 0
	for _, w := range b.warps {
		if w.live != 0 {
			n += lanes
		}
	}
	return n
}

// ended lets barriers of all threads go on without a warp that is done.
func (b *block) ended(w *warp) {
	if w.async.atEnd(w); b.fault != nil {
		return
	}
	for i := range b.bars {
		if b.bars[i].want < 0 {
			b.complete(i)
		}
	}
}
