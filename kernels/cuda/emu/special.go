package emu

import (
	"math/bits"
	"strings"
)

// axis picks a component by the letter after the dot.
func axis(d Dim3, c byte) int {
	switch c {
	case 'x':
		return d.X
	case 'y':
		return d.Y
	}
	return d.Z
}

// special returns the place of a special register, of 4 bytes or of 8 for the wide ones.
func (d *decoder) special(name string, n int) int32 {
	if name == "WARP_SZ" {
		return d.number(lanes, n)
	}
	if isClock(name) {
		d.fail("special register %s can only be read by mov", name)
		return 0
	}
	wide := name == "%gridid"
	if want := map[bool]int{false: 4, true: 8}[wide]; n != want && !(name == "%gridid" && n == 4) {
		d.fail("special register %s has %d bits", name, 8*want)
		return 0
	}
	if at, ok := d.names[name]; ok {
		return at
	}
	if wide {
		at := d.number(0, n)
		d.names[name] = at
		return at
	}
	fill := specialFill(name)
	if fill == nil {
		d.fail("special register %s is not known", name)
		return 0
	}
	at := d.room(4)
	d.names[name] = at
	d.fn.presets = append(d.fn.presets, preset{at: at, n: 4, fill: fill})
	return at
}

// specialFill returns the function that computes a 32-bit special register, nil for an unknown name. The clock is not here: it changes.
func specialFill(name string) func(w *warp, out *[lanes]uint32) {
	perLane := func(f func(w *warp, l int) uint32) func(*warp, *[lanes]uint32) {
		return func(w *warp, out *[lanes]uint32) {
			for l := range out {
				out[l] = f(w, l)
			}
		}
	}
	same := func(f func(b *block) int) func(*warp, *[lanes]uint32) {
		return func(w *warp, out *[lanes]uint32) { fillLanes(out, uint32(f(w.blk))) }
	}
	head, comp, dotted := strings.Cut(name, ".")
	if dotted && (len(comp) != 1 || comp[0] < 'x' || comp[0] > 'z') {
		return nil
	}
	if dotted {
		c := comp[0]
		switch head {
		case "%tid":
			return perLane(func(w *warp, l int) uint32 { return uint32(axis(w.blk.dim.at(w.id*lanes+l), c)) })
		case "%ntid":
			return same(func(b *block) int { return axis(b.dim, c) })
		case "%ctaid", "%clusterid":
			return same(func(b *block) int { return axis(b.at, c) })
		case "%nctaid", "%nclusterid":
			return same(func(b *block) int { return axis(b.grid, c) })
		case "%cluster_ctaid":
			return same(func(*block) int { return 0 })
		case "%cluster_nctaid":
			return same(func(*block) int { return 1 })
		}
		return nil
	}
	switch name {
	case "%laneid":
		return perLane(func(_ *warp, l int) uint32 { return uint32(l) })
	case "%warpid":
		return perLane(func(w *warp, _ int) uint32 { return uint32(w.id) })
	case "%nwarpid":
		return same(func(b *block) int { return len(b.warps) })
	case "%smid", "%cluster_ctarank":
		return same(func(*block) int { return 0 })
	case "%nsmid", "%cluster_nctarank":
		return same(func(*block) int { return 1 })
	case "%lanemask_eq":
		return perLane(func(_ *warp, l int) uint32 { return 1 << l })
	case "%lanemask_lt":
		return perLane(func(_ *warp, l int) uint32 { return 1<<l - 1 })
	case "%lanemask_le":
		return perLane(func(_ *warp, l int) uint32 { return 2<<l - 1 })
	case "%lanemask_gt":
		return perLane(func(_ *warp, l int) uint32 { return ^uint32(0) << l << 1 })
	case "%lanemask_ge":
		return perLane(func(_ *warp, l int) uint32 { return ^uint32(0) << l })
	case "%dynamic_smem_size":
		return same(func(b *block) int { return len(b.shared) - max(b.fn.dynamic, b.fn.shared) })
	case "%total_smem_size":
		return same(func(b *block) int { return len(b.shared) })
	}
	return nil
}

func isClock(name string) bool {
	return strings.HasPrefix(name, "%clock") || strings.HasPrefix(name, "%globaltimer")
}

// clock is mov from %clock, %clock64, %clock_hi or %globaltimer: the thread instructions that the worker has executed so far.
func (d *decoder) clock(name string, n int) {
	if n == 8 {
		d.emit(Move, func(w *warp, in *inst) { setLanes(w, reg[uint64](w, in.d), w.now()) })
		return
	}
	hi := name == "%clock_hi"
	d.emit(Move, func(w *warp, in *inst) {
		t := w.now()
		if hi {
			t >>= 32
		}
		setLanes(w, reg[uint32](w, in.d), uint32(t))
	})
}

func setLanes[T any](w *warp, d *[lanes]T, v T) {
	for m := w.exec; m != 0; m &= m - 1 {
		d[bits.TrailingZeros32(m)] = v
	}
}

// now is the block's time in warp instructions.
func (w *warp) now() uint64 { return w.blk.steps + uint64(slice-w.budget) }
