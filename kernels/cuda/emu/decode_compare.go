package emu

import (
	"math/bits"
	"slices"

	"artel/kernels/cuda/emu/ptx"
)

// comparisons maps the words of setp to what holds for less, equal, greater and unordered operands, bits 0 to 3.
var comparisons = map[string]uint8{"eq": 2, "ne": 5, "lt": 1, "le": 3, "gt": 4, "ge": 6, "lo": 1, "ls": 3, "hi": 4, "hs": 6,
	"equ": 10, "neu": 13, "ltu": 9, "leu": 11, "gtu": 12, "geu": 14, "num": 7, "nan": 8}

// compareLanes returns a bit for each lane that the comparison holds for.
func compareLanes[T number](op uint8, a, b *[lanes]T) (m uint32) {
	switch op {
	case 2:
		for l := range a {
			m |= bit(a[l] == b[l]) << l
		}
	case 1:
		for l := range a {
			m |= bit(a[l] < b[l]) << l
		}
	case 3:
		for l := range a {
			m |= bit(a[l] <= b[l]) << l
		}
	case 4:
		for l := range a {
			m |= bit(a[l] > b[l]) << l
		}
	case 6:
		for l := range a {
			m |= bit(a[l] >= b[l]) << l
		}
	default:
		for l := range a {
			x, y := a[l], b[l]
			k := uint32(8)
			switch {
			case x < y:
				k = 1
			case x == y:
				k = 2
			case x > y:
				k = 4
			}
			m |= bit(uint32(op)&k != 0) << l
		}
	}
	return m
}

func bit(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// comparison returns the function that compares two operands of a type.
func (d *decoder) comparison(t ptx.Type) func(w *warp, in *inst) uint32 {
	op, ok := comparisons[d.word(0)]
	if !ok {
		d.fail("comparison .%s is not known", d.word(0))
	}
	switch t {
	case ptx.S16:
		return comparing[int16](op)
	case ptx.U16, ptx.B16:
		return comparing[uint16](op)
	case ptx.S32:
		return comparing[int32](op)
	case ptx.U32, ptx.B32:
		return comparing[uint32](op)
	case ptx.S64:
		return comparing[int64](op)
	case ptx.U64, ptx.B64:
		return comparing[uint64](op)
	case ptx.F32:
		if d.has("ftz") {
			return func(w *warp, in *inst) uint32 {
				a, b := *reg[float32](w, in.a), *reg[float32](w, in.b)
				for l := range a {
					a[l], b[l] = flush(a[l], true), flush(b[l], true)
				}
				return compareLanes(op, &a, &b)
			}
		}
		return comparing[float32](op)
	case ptx.F64:
		return comparing[float64](op)
	case ptx.F16, ptx.BF16:
		fm := formatOf(t)
		return func(w *warp, in *inst) uint32 {
			var a, b [lanes]float32
			x, y := reg[uint16](w, in.a), reg[uint16](w, in.b)
			for l := range a {
				a[l], b[l] = fm.load(x[l]), fm.load(y[l])
			}
			return compareLanes(op, &a, &b)
		}
	}
	d.fail("comparison of .%s is not supported", t)
	return nil
}

func comparing[T number](op uint8) func(w *warp, in *inst) uint32 {
	return func(w *warp, in *inst) uint32 { return compareLanes(op, reg[T](w, in.a), reg[T](w, in.b)) }
}

func compareMods() []string {
	words := []string{"and", "or", "xor", "ftz"}
	for w := range comparisons {
		words = append(words, w)
	}
	return words
}

// setPredicate is setp p|q, a, b and its form with a third predicate.
func setPredicate(d *decoder) {
	n := len(d.in.Args)
	if n != 3 && n != 4 || len(d.in.Mods) < 2 {
		d.fail("%d operands, want 3 or 4", n)
		return
	}
	d.allow(compareMods()...)
	t := d.typ()
	d.out.a, d.out.b = d.src(1, t), d.src(2, t)
	dst := d.arg(0)
	if (t == ptx.F16x2 || t == ptx.BF16x2) && n == 3 && dst.Kind == ptx.KPair {
		d.setPair(dst, t)
		return
	}
	q := int32(-1)
	if dst.Kind == ptx.KPair {
		d.out.d, q = d.predDst(dst.List[0]), d.predDst(dst.List[1])
	} else {
		d.out.d = d.predDst(dst)
	}
	f := d.comparison(t)
	if n == 3 && q < 0 {
		if t == ptx.S32 && f != nil {
			d.emit(Compare, hotCompare[int32](comparisons[d.word(0)]))
			return
		}
		d.emit(Compare, func(w *warp, in *inst) { setPred(w, in.d, f(w, in)) })
		return
	}
	c, flip, op := int32(-1), uint32(0), ""
	if n == 4 {
		c, flip = d.predSrc(d.arg(3))
		op = d.boolOp()
	}
	d.emit(Compare, func(w *warp, in *inst) {
		p := f(w, in)
		np := ^p
		if c >= 0 {
			v := *pred(w, c) ^ flip
			p, np = combine(op, p, v), combine(op, np, v)
		}
		setPred(w, in.d, p)
		setPred(w, q, np)
	})
}

func hotCompare[T number](op uint8) handler {
	return func(w *warp, in *inst) { setPred(w, in.d, compareLanes(op, reg[T](w, in.a), reg[T](w, in.b))) }
}

func (d *decoder) boolOp() string {
	for _, m := range d.in.Mods {
		if slices.Contains([]string{"and", "or", "xor"}, m) {
			return m
		}
	}
	d.fail("the third predicate needs .and, .or or .xor")
	return ""
}

func combine(op string, a, b uint32) uint32 {
	switch op {
	case "and":
		return a & b
	case "or":
		return a | b
	}
	return a ^ b
}

// setRegister is set: all ones, or 1.0, where the comparison holds.
func setRegister(d *decoder) {
	n := len(d.in.Args)
	if n != 3 && n != 4 || len(d.in.Mods) < 3 {
		d.fail("%d operands, want 3 or 4", n)
		return
	}
	d.allow(compareMods()...)
	t := d.typ()
	if t.Float() && t.Size() <= 4 && t != ptx.F32 {
		d.setHalves(t)
		return
	}
	to := ptx.TypeOf(d.word(len(d.in.Mods) - 2))
	yes := uint32(every)
	if to == ptx.F32 {
		yes = 0x3f800000
	} else if to.Size() != 4 || to.Float() {
		d.fail("result of type .%s is not supported", to)
	}
	d.out.d, d.out.a, d.out.b = d.dst(0, ptx.B32), d.src(1, t), d.src(2, t)
	f := d.comparison(t)
	c, flip, op := int32(-1), uint32(0), ""
	if n == 4 {
		c, flip = d.predSrc(d.arg(3))
		op = d.boolOp()
	}
	d.emit(Compare, func(w *warp, in *inst) {
		p := f(w, in)
		if c >= 0 {
			p = combine(op, p, *pred(w, c)^flip)
		}
		dd := reg[uint32](w, in.d)
		for m := w.exec; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			dd[l] = yes & -(p >> l & 1)
		}
	})
}

// halfParts compares the low and the high halves of two registers of 16-bit numbers; single numbers are their own low half.
func (d *decoder) halfParts(t ptx.Type) func(w *warp, in *inst) (lo, hi uint32) {
	op, ok := comparisons[d.word(0)]
	if !ok {
		d.fail("%s is not a comparison", d.word(0))
	}
	fm, size := formatOf(t), t.Size()
	return func(w *warp, in *inst) (lo, hi uint32) {
		var a, b [2][lanes]float32
		for l := range lanes {
			x, y := getLane(w, in.a, l, size), getLane(w, in.b, l, size)
			for i := range 2 {
				a[i][l], b[i][l] = fm.load(uint16(x>>(16*i))), fm.load(uint16(y>>(16*i)))
			}
		}
		return compareLanes(op, &a[0], &b[0]), compareLanes(op, &a[1], &b[1])
	}
}

// setPair is setp of two 16-bit numbers at once, into two predicates.
func (d *decoder) setPair(dst ptx.Operand, t ptx.Type) {
	p, q := d.predDst(dst.List[0]), d.predDst(dst.List[1])
	f := d.halfParts(t)
	d.emit(Compare, func(w *warp, in *inst) {
		lo, hi := f(w, in)
		setPred(w, p, lo)
		setPred(w, q, hi)
	})
}

// setHalves is set of 16-bit numbers, one or two: 1.0 or all ones in each part of the result.
func (d *decoder) setHalves(t ptx.Type) {
	to, pair := ptx.TypeOf(d.word(len(d.in.Mods)-2)), t.Size() == 4
	yes := uint32(0xffff)
	switch {
	case to == ptx.F16 || to == ptx.F16x2:
		yes = 0x3c00
	case to == ptx.BF16 || to == ptx.BF16x2:
		yes = 0x3f80
	case !pair && to.Size() == 4 && !to.Float():
		yes = every
	case to.Float() || to.Size() > 4:
		to = ptx.NoType
	}
	if !d.count(3) || to.Size() < 2 || pair && to.Size() != 4 {
		d.fail("this form is not supported")
		return
	}
	d.out.d, d.out.a, d.out.b = d.dst(0, to), d.src(1, t), d.src(2, t)
	f, size := d.halfParts(t), to.Size()
	d.emit(Compare, func(w *warp, in *inst) {
		lo, hi := f(w, in)
		for m := w.exec; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			v := yes & -(lo >> l & 1)
			if pair {
				v |= yes & -(hi >> l & 1) << 16
			}
			putLane(w, in.d, l, size, uint64(v))
		}
	})
}
