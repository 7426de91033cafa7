package emu

import "unsafe"

// block is a running thread block. A worker uses one again and again.
type block struct {
	dev    *Device
	fn     *Function
	grid   Dim3
	dim    Dim3
	at     Dim3
	params []byte
	words  []uint64 // memory of shared
	shared []byte
	warps  []*warp
	bars   [numBars]bar
	fault  *Fault
	count  Counters
	prof   []profile
	steps  uint64
	launch uint64 // number of the launch on the device
	number uint64 // of the block in the grid
	// acquired is set when the block has received the result of an atomic operation on device memory.
	acquired bool
	mbars    map[uint32]*mbar
	races    *races
	groups   [8]syncClock // of warpgroups: products that are over
}

// newBlock makes the state of a worker for one launch.
func newBlock(f *Function, grid, dim Dim3, shared int, params []byte) *block {
	b := &block{dev: f.mod.dev, fn: f, grid: grid, dim: dim, prof: make([]profile, len(f.code)), mbars: map[uint32]*mbar{}}
	// The parameter block is copied to memory aligned like the device's.
	p := make([]uint64, (len(params)+7)/8+1)
	b.params = bytesOf(p)[:len(params)]
	copy(b.params, params)
	b.words = make([]uint64, (shared+7)/8+1)
	b.shared = bytesOf(b.words)[:shared]
	threads := dim.count()
	for i := range (threads + lanes - 1) / lanes {
		w := &warp{id: i, blk: b, code: f.code, prof: b.prof, words: make([]uint64, f.fileSize/8+1), under: make([]int, f.functions)}
		w.file = unsafe.Pointer(&w.words[0])
		if f.localSize > 0 {
			w.local = bytesOf(make([]uint64, f.localSize*lanes/8+1))
		}
		b.warps = append(b.warps, w)
	}
	b.count.profile = b.dev.opts.Profile
	if b.dev.opts.Sanitize {
		b.races = newRaces(shared, len(b.warps))
	}
	return b
}

// run executes the block with a number of the grid.
func (b *block) run(number int) {
	b.at, b.steps = b.grid.at(number), 0
	b.number, b.acquired = uint64(number), false
	clear(b.words)
	clear(b.mbars)
	clear(b.bars[:])
	clear(b.groups[:])
	if b.races != nil {
		b.races.reset()
	}
	threads := b.dim.count()
	for i, w := range b.warps {
		clear(w.words)
		clear(w.local)
		w.stack = w.stack[:0]
		w.pc, w.join, w.state = 0, -1, running
		w.live = every
		if left := threads - i*lanes; left < lanes {
			w.live = 1<<left - 1
		}
		w.active, w.here = w.live, w.live
		w.frames, w.floor, w.base = w.frames[:0], 0, 0
		clear(w.under)
		w.async.reset()
		if w.clusterArrived = false; b.races != nil {
			w.clock.reset(len(b.warps)+1, i)
		}
		b.fn.preset(w)
	}
	b.schedule()
	b.count.Blocks++
}

// schedule lets the warps take turns until all are done.
func (b *block) schedule() {
	for {
		alive, ran := 0, false
		for _, w := range b.warps {
			switch w.state {
			case done:
				continue
			case waiting:
				alive++
				if !w.ready() {
					continue
				}
			default:
				alive++
			}
			ran = true
			w.run()
			b.steps += uint64(slice - w.budget)
			if w.state == done && b.fault == nil {
				b.ended(w)
			}
			if b.fault != nil {
				return
			}
		}
		if alive == 0 {
			return
		}
		if !ran {
			b.deadlock()
			return
		}
		if b.steps > b.dev.opts.MaxSteps {
			w := b.warps[0]
			for _, v := range b.warps {
				if v.state != done {
					w = v
					break
				}
			}
			w.fault(EndlessLoop, &w.code[w.pc], w.lane(), 0, "%d warp instructions in one block", b.steps)
			return
		}
	}
}

// deadlock reports the first warp that waits for ever.
func (b *block) deadlock() {
	n := 0
	var first *warp
	for _, w := range b.warps {
		if w.state == waiting {
			if n++; first == nil {
				first = w
			}
		}
	}
	pc := max(first.pc-1, 0)
	if first.wait.kind == onPhase || first.wait.kind == onGroup {
		pc = first.pc
	}
	first.fault(Deadlock, &first.code[pc], first.lane(), 0, "%d warps wait and none can go on; this one waits for %s", n, first.wait.describe(b))
}
