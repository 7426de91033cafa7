package emu

import (
	"math/bits"
	"slices"

	"artel/kernels/cuda/emu/ptx"
)

// branch is bra to a label.
func branch(d *decoder) {
	d.allow("uni")
	if !d.count(1) {
		return
	}
	if d.arg(0).Kind != ptx.KLabel {
		d.fail("the target is not a label")
		return
	}
	d.out.target = int32(d.arg(0).Target)
	d.emit(Branch, func(w *warp, in *inst) { w.branch(in.target, in.join) })
}

// leave is ret and exit.
func leave(d *decoder) {
	d.allow("uni")
	d.emit(Branch, d.ending(d.in.Op))
}

// ending is what ret or exit does: in a function ret goes back to the caller.
func (d *decoder) ending(op string) handler {
	if d.callee != nil && op == "ret" {
		return func(w *warp, _ *inst) { w.giveBack() }
	}
	return func(w *warp, _ *inst) { w.leave() }
}

func trap(d *decoder) {
	d.emit(Other, func(w *warp, in *inst) { w.fault(Trap, in, w.lane(), 0, "") })
}

// fence is fence and membar. Between generic accesses warps run in order, so only the proxy fences have an effect.
func fence(d *decoder) {
	known := []string{"cta", "gl", "sys", "gpu", "cluster", "sc", "acq_rel", "acquire", "release", "level", "proxy", "async", "alias", "generic", "mbarrier_init",
		"async::generic", "async.global", "async.shared::cta", "shared::cta", "shared::cluster", "global", "tensormap::generic", "sync_restrict::shared::cta", "sync_restrict::shared::cluster"}
	d.allow(known...)
	if d.has("proxy") && d.has("async") {
		d.emit(Barrier, func(w *warp, _ *inst) { w.clock.fenceProxy() })
		return
	}
	d.emit(Barrier, func(*warp, *inst) {})
}

// barrier is bar and barrier, of the block or the cluster, and bar.warp.
func barrier(d *decoder) {
	switch {
	case d.has("warp"):
		if !d.count(1) {
			return
		}
		d.allow("warp", "sync")
		d.out.a = d.src(0, ptx.B32)
		d.emit(Barrier, func(w *warp, in *inst) {
			w.syncs++
			w.members(in, in.a, func(uint32) {})
		})
	case d.has("cluster"):
		d.clusterBarrier()
	default:
		d.blockBarrier()
	}
}

// clusterBarrier is barrier.cluster in a cluster of one block: a barrier of the block, in two steps.
func (d *decoder) clusterBarrier() {
	d.allow("cluster", "arrive", "wait", "aligned", "acquire", "release", "relaxed")
	if d.has("arrive") {
		d.emit(Barrier, func(w *warp, in *inst) {
			if !w.whole(in, DivergentBarrier) {
				return
			}
			w.clusterArrived, w.clusterRound = true, w.blk.bars[clusterBar].round
			w.blk.arrive(w, in, clusterBar, lanes, -1)
		})
		return
	}
	d.emit(Barrier, func(w *warp, in *inst) {
		if !w.whole(in, DivergentBarrier) {
			return
		}
		if !w.clusterArrived {
			w.fault(DivergentBarrier, in, w.lane(), 0, "barrier.cluster.wait without barrier.cluster.arrive")
			return
		}
		w.clusterArrived = false
		w.wait = waiter{kind: onCluster, bar: clusterBar, round: w.clusterRound}
		w.state = waiting
	})
}

// blockBarrier is bar.sync, bar.arrive and bar.red.
func (d *decoder) blockBarrier() {
	d.allow("cta", "sync", "arrive", "red", "aligned", "popc", "and", "or")
	args := d.in.Args
	red := d.has("red")
	out, src, flip := int32(-1), int32(-1), uint32(0)
	if red {
		if len(args) < 3 {
			d.fail("operands are missing")
			return
		}
		if d.has("popc") {
			out = d.dst(0, ptx.U32)
		} else {
			out = d.predDst(args[0])
		}
		src, flip = d.predSrc(args[len(args)-1])
		args = args[1 : len(args)-1]
	}
	if len(args) < 1 || len(args) > 2 {
		d.fail("%d operands", len(args))
		return
	}
	id, threads := d.value(args[0], ptx.U32), int32(-1)
	if len(args) == 2 {
		threads = d.value(args[1], ptx.U32)
	}
	arrive := d.has("arrive")
	if arrive && threads < 0 {
		d.fail("bar.arrive wants a number of threads")
		return
	}
	kind := slices.IndexFunc([]string{"popc", "and", "or"}, d.has)
	d.emit(Barrier, func(w *warp, in *inst) {
		if !w.whole(in, DivergentBarrier) {
			return
		}
		l := w.lane()
		n, want := int(reg[uint32](w, id)[l]), -1
		if threads >= 0 {
			want = int(reg[uint32](w, threads)[l])
		}
		if n >= clusterBar || want == 0 || want > 0 && want%lanes != 0 {
			w.fault(BadOperand, in, l, 0, "barrier %d of %d threads: want 0 to 15 and a multiple of 32", n, want)
			return
		}
		b := &w.blk.bars[n]
		if red {
			v := (*pred(w, src) ^ flip) & w.exec
			b.count += bits.OnesCount32(v)
			b.miss += bits.OnesCount32(w.exec &^ v)
		}
		w.wait = waiter{kind: onBar, bar: n, round: b.round, red: out, op: kind}
		if w.blk.arrive(w, in, n, lanes, want); w.state == failed || arrive {
			return
		}
		w.state = waiting
	})
}
