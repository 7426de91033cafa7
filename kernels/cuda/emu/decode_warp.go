package emu

import (
	"math/bits"

	"artel/kernels/cuda/emu/ptx"
)

// members calls f for each set of lanes that executes a warp-wide instruction together: lanes with the same member mask. The mask is in register at.
// Lanes that a mask names must be there.
func (w *warp) members(in *inst, at int32, f func(set uint32)) bool {
	masks := reg[uint32](w, at)
	if masks[w.lane()] == every && w.exec == every {
		same := true
		for l := range masks {
			same = same && masks[l] == every
		}
		if same {
			f(every)
			return true
		}
	}
	for left := w.exec; left != 0; {
		l := bits.TrailingZeros32(left)
		mask := masks[l]
		set := uint32(0)
		for m := left; m != 0; m &= m - 1 {
			if k := bits.TrailingZeros32(m); masks[k] == mask {
				set |= 1 << k
			}
		}
		if set&^mask != 0 || mask&w.live&^set != 0 {
			w.fault(BadMask, in, l, 0, "member mask %#08x, lanes %#08x execute it, lanes %#08x are alive", mask, w.exec, w.live)
			return false
		}
		f(set)
		left &^= set
	}
	return true
}

// shuffle is shfl.sync.
func shuffle(d *decoder) {
	if !d.count(5) {
		return
	}
	d.allow("sync", "up", "down", "bfly", "idx")
	dst, p := d.arg(0), int32(-1)
	if dst.Kind == ptx.KPair {
		p, dst = d.predDst(dst.List[1]), dst.List[0]
	}
	d.out.d, d.out.a, d.out.b, d.out.c = d.result(dst, 4), d.src(1, ptx.B32), d.src(2, ptx.B32), d.src(3, ptx.B32)
	mask := d.src(4, ptx.B32)
	mode := d.word(1)
	d.emit(Warp, func(w *warp, in *inst) {
		a, b, c := *reg[uint32](w, in.a), reg[uint32](w, in.b), reg[uint32](w, in.c)
		out := a
		var valid, bad uint32
		ok := w.members(in, mask, func(set uint32) {
			for m := set; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m)
				j, inside := shuffleSource(mode, l, int(b[l]&31), c[l])
				if inside {
					valid |= 1 << l
				} else {
					j = l
				}
				if set>>j&1 == 0 {
					bad |= 1 << l
				}
				out[l] = a[j]
			}
		})
		if !ok {
			return
		}
		if bad != 0 && w.blk.races != nil {
			w.fault(BadMask, in, bits.TrailingZeros32(bad), 0, "the lane it reads does not take part")
			return
		}
		d := reg[uint32](w, in.d)
		if w.exec == every {
			*d = out
		} else {
			for m := w.exec; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m)
				d[l] = out[l]
			}
		}
		setPred(w, p, valid)
	})
}

// shuffleSource returns the lane to read and whether it is inside the segment (PTX ISA, shfl.sync).
func shuffleSource(mode string, l, b int, c uint32) (int, bool) {
	clamp, seg := int(c&31), int(c>>8&31)
	last := l&seg | clamp&^seg
	switch mode {
	case "up":
		return l - b, l-b >= last
	case "down":
		return l + b, l+b <= last
	case "bfly":
		return l ^ b, l^b <= last
	}
	j := l&seg | b&^seg
	return j, j <= last
}

// vote is vote.sync.
func vote(d *decoder) {
	if !d.count(3) {
		return
	}
	d.allow("sync", "all", "any", "uni", "ballot")
	a, flip := d.predSrc(d.arg(1))
	mask := d.src(2, ptx.B32)
	if d.has("ballot") {
		d.out.d = d.dst(0, ptx.B32)
		d.emit(Warp, func(w *warp, in *inst) {
			d, p := reg[uint32](w, in.d), *pred(w, a)^flip
			w.members(in, mask, func(set uint32) { fillSet(d, set, p&set) })
		})
		return
	}
	d.out.d = d.predDst(d.arg(0))
	all, any := d.has("all"), d.has("any")
	d.emit(Warp, func(w *warp, in *inst) {
		p, r := *pred(w, a)^flip, uint32(0)
		w.members(in, mask, func(set uint32) {
			yes := p & set
			if all && yes == set || any && yes != 0 || !all && !any && (yes == 0 || yes == set) {
				r |= set
			}
		})
		setPred(w, in.d, r)
	})
}

func fillSet[T any](d *[lanes]T, set uint32, v T) {
	for m := set; m != 0; m &= m - 1 {
		d[bits.TrailingZeros32(m)] = v
	}
}

// match is match.sync.
func match(d *decoder) {
	if !d.count(3) {
		return
	}
	d.allow("sync", "any", "all")
	t := d.typ()
	dst, p := d.arg(0), int32(-1)
	if dst.Kind == ptx.KPair {
		p, dst = d.predDst(dst.List[1]), dst.List[0]
	}
	d.out.d, d.out.a = d.result(dst, 4), d.src(1, t)
	mask, n, all := d.src(2, ptx.B32), t.Size(), d.has("all")
	d.emit(Warp, func(w *warp, in *inst) {
		out := reg[uint32](w, in.d)
		var same uint32
		w.members(in, mask, func(set uint32) {
			var r [lanes]uint32
			for m := set; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m)
				for k := set; k != 0; k &= k - 1 {
					j := bits.TrailingZeros32(k)
					r[l] |= bit(getLane(w, in.a, l, n) == getLane(w, in.a, j, n)) << j
				}
			}
			whole := r[bits.TrailingZeros32(set)] == set
			if whole {
				same |= set
			}
			for m := set; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m)
				if out[l] = r[l]; all && !whole {
					out[l] = 0
				}
			}
		})
		setPred(w, p, same)
	})
}

func activeMask(d *decoder) {
	if !d.count(1) {
		return
	}
	d.out.d = d.dst(0, ptx.B32)
	d.emit(Warp, func(w *warp, in *inst) { fillSet(reg[uint32](w, in.d), w.exec, w.exec) })
}

// reduce is redux.sync.
func reduce(d *decoder) {
	if !d.count(3) {
		return
	}
	d.allow("sync", "add", "min", "max", "and", "or", "xor")
	t := d.typ()
	op := d.word(1)
	update := atomicUpdate(op, t)
	if update == nil || t.Size() != 4 || op == "sync" {
		d.fail("this form is not supported")
		return
	}
	d.out.d, d.out.a = d.dst(0, t), d.src(1, t)
	mask := d.src(2, ptx.B32)
	d.emit(Warp, func(w *warp, in *inst) {
		out, a := reg[uint32](w, in.d), reg[uint32](w, in.a)
		w.members(in, mask, func(set uint32) {
			v := uint64(a[bits.TrailingZeros32(set)])
			for m := set & (set - 1); m != 0; m &= m - 1 {
				v = update(v, uint64(a[bits.TrailingZeros32(m)]), 0)
			}
			fillSet(out, set, uint32(v))
		})
	})
}

// elect is elect.sync: the lowest lane of the mask is the leader.
func elect(d *decoder) {
	if !d.count(2) {
		return
	}
	d.allow("sync")
	dst := d.arg(0)
	if dst.Kind != ptx.KPair {
		d.fail("want register|predicate")
		return
	}
	out, p := int32(-1), d.predDst(dst.List[1])
	if dst.List[0].Kind != ptx.KSink {
		out = d.result(dst.List[0], 4)
	}
	mask := d.src(1, ptx.B32)
	d.emit(Warp, func(w *warp, in *inst) {
		var leaders uint32
		w.members(in, mask, func(set uint32) {
			l := bits.TrailingZeros32(set)
			leaders |= 1 << l
			if out >= 0 {
				fillSet(reg[uint32](w, out), set, uint32(l))
			}
		})
		setPred(w, p, leaders)
	})
}
