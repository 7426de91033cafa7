package emu

import (
	"math/bits"
	"slices"
	"strings"

	"artel/kernels/cuda/emu/ptx"
)

// move is mov: of a register, a number, an address, a special register, or between a register and the parts in braces.
func move(d *decoder) {
	if !d.count(2) {
		return
	}
	d.allow()
	t := d.typ()
	dst, src := d.arg(0), d.arg(1)
	switch {
	case t == ptx.Pred:
		a, flip := d.predSrc(src)
		d.out.d = d.predDst(dst)
		d.emit(Move, func(w *warp, in *inst) { setPred(w, in.d, *pred(w, a)^flip) })
		return
	case dst.Kind == ptx.KVec:
		d.unpack(dst, src, t)
		return
	case src.Kind == ptx.KVec:
		d.pack(dst, src, t)
		return
	}
	d.out.d = d.dst(0, t)
	if src.Kind == ptx.KSpecial && isClock(src.Name) {
		d.clock(src.Name, t.Size())
		return
	}
	d.out.a = d.value(src, t)
	d.emit(Move, bySize(t.Size(), movLanes[uint16], movLanes[uint32], movLanes[uint64]))
}

// parts checks the elements in braces and returns their size in bytes.
func (d *decoder) parts(o ptx.Operand, t ptx.Type) int {
	n := len(o.List)
	if n != 2 && n != 4 || t.Size()/n < 2 {
		d.fail("%d parts of .%s", n, t)
		return 2
	}
	return t.Size() / n
}

func bitsType(n int) ptx.Type {
	switch n {
	case 1:
		return ptx.B8
	case 2:
		return ptx.B16
	case 4:
		return ptx.B32
	}
	return ptx.B64
}

func (d *decoder) unpack(dst, src ptx.Operand, t ptx.Type) {
	n := d.parts(dst, t)
	for _, o := range dst.List {
		d.out.list = append(d.out.list, d.result(o, n))
	}
	a := d.value(src, t)
	size := t.Size()
	d.emit(Move, func(w *warp, in *inst) {
		for m := w.exec; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			v := getLane(w, a, l, size)
			for i, p := range in.list {
				putLane(w, p, l, n, v>>(8*n*i))
			}
		}
	})
}

func (d *decoder) pack(dst, src ptx.Operand, t ptx.Type) {
	n := d.parts(src, t)
	for _, o := range src.List {
		d.out.list = append(d.out.list, d.value(o, bitsType(n)))
	}
	d.out.d = d.result(dst, t.Size())
	size := t.Size()
	d.emit(Move, func(w *warp, in *inst) {
		for m := w.exec; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			var v uint64
			for i, p := range in.list {
				v |= getLane(w, p, l, n) << (8 * n * i)
			}
			putLane(w, in.d, l, size, v)
		}
	})
}

// getLane reads a lane of a register of n bytes, zero-extended.
func getLane(w *warp, at int32, l, n int) uint64 {
	switch n {
	case 2:
		return uint64(reg[uint16](w, at)[l])
	case 4:
		return uint64(reg[uint32](w, at)[l])
	}
	return reg[uint64](w, at)[l]
}

// putLane writes the low n bytes to a lane.
func putLane(w *warp, at int32, l, n int, v uint64) {
	switch n {
	case 2:
		reg[uint16](w, at)[l] = uint16(v)
	case 4:
		reg[uint32](w, at)[l] = uint32(v)
	default:
		reg[uint64](w, at)[l] = v
	}
}

// window returns where a space lies in the generic space.
func window(s ptx.Space) uint64 {
	switch s {
	case ptx.Shared:
		return sharedWindow
	case ptx.Local:
		return localWindow
	case ptx.Parameter:
		return paramWindow
	}
	return 0
}

// spaceMod returns the space among the modifiers; shared::cta and shared::cluster are the same in a cluster of one block.
func (d *decoder) spaceMod() ptx.Space {
	for _, m := range d.in.Mods {
		head, _, _ := strings.Cut(m, "::")
		if s := ptx.SpaceOf(head); s != ptx.NoSpace {
			return s
		}
	}
	return ptx.NoSpace
}

var spaceWords = []string{"global", "shared", "shared::cta", "shared::cluster", "local", "const", "param", "param::entry", "to"}

// convertAddress is cvta.
func convertAddress(d *decoder) {
	if !d.count(2) {
		return
	}
	d.allow(spaceWords...)
	t := d.typ()
	delta := window(d.spaceMod())
	if d.has("to") {
		delta = -delta
	}
	d.out.d, d.out.a = d.dst(0, t), d.src(1, t)
	if delta == 0 {
		d.emit(Move, bySize(t.Size(), nil, movLanes[uint32], movLanes[uint64]))
		return
	}
	d.emit(Move, bySize(t.Size(), nil, nil, lift1(func(a uint64) uint64 { return a + delta })))
}

// isSpace is isspacep.
func isSpace(d *decoder) {
	if !d.count(2) {
		return
	}
	d.allow(spaceWords...)
	s := d.spaceMod()
	d.out.d, d.out.a = d.predDst(d.arg(0)), d.src(1, ptx.U64)
	d.emit(Compare, func(w *warp, in *inst) {
		setPred(w, in.d, where(reg[uint64](w, in.a), func(v uint64) bool {
			at := spaceAt(v)
			return at == s || at == ptx.Global && s == ptx.Const
		}))
	})
}

// spaceAt returns the space that a generic address lies in.
func spaceAt(a uint64) ptx.Space {
	switch {
	case a < sharedWindow || a >= windowEnd:
		return ptx.Global
	case a < localWindow:
		return ptx.Shared
	case a < paramWindow:
		return ptx.Local
	}
	return ptx.Parameter
}

// selectPredicate is selp.
func selectPredicate(d *decoder) {
	if !d.count(4) {
		return
	}
	d.allow()
	t := d.typ()
	d.out.d, d.out.a, d.out.b = d.dst(0, t), d.src(1, t), d.src(2, t)
	var flip uint32
	d.out.c, flip = d.predSrc(d.arg(3))
	d.out.imm = uint64(flip)
	d.emit(Move, bySize(t.Size(), selLanes[uint16], selLanes[uint32], selLanes[uint64]))
}

// selectSign is slct: a where c is at least 0, else b.
func selectSign(d *decoder) {
	if !d.count(4) || len(d.in.Mods) == 0 {
		return
	}
	d.allow("ftz")
	t, by := ptx.TypeOf(d.word(len(d.in.Mods)-2)), d.typ()
	if t == ptx.NoType {
		t = ptx.TypeOf(d.word(0))
	}
	d.out.d, d.out.a, d.out.b, d.out.c = d.dst(0, t), d.src(1, t), d.src(2, t), d.src(3, by)
	switch {
	case by == ptx.S32:
		d.emit(Move, bySize(t.Size(), nil, lift3(slct[uint32, int32]), lift3(slct[uint64, int32])))
	case by == ptx.F32:
		d.emit(Move, bySize(t.Size(), nil, lift3(slct[uint32, float32]), lift3(slct[uint64, float32])))
	default:
		d.fail("selector .%s, want .s32 or .f32", by)
	}
}

func slct[T any, C int32 | float32](a, b T, c C) T {
	if c >= 0 {
		return a
	}
	return b
}

// nothing is an instruction without effect on values.
func nothing(d *decoder) {
	class := Other
	if slices.Contains([]string{"prefetch", "prefetchu", "discard", "applypriority"}, d.in.Op) {
		class = OtherMem
	}
	d.emit(class, func(*warp, *inst) {})
}
