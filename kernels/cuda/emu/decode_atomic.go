package emu

import (
	"math"
	"math/bits"
	"sync/atomic"
	"unsafe"

	"artel/kernels/cuda/emu/ptx"
)

var atomicOps = []string{"add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"}

// atomicUpdate returns the new value of an atomic operation from the old one and the operands b and c, all as bits.
func atomicUpdate(op string, t ptx.Type) func(old, b, c uint64) uint64 {
	switch op {
	case "exch":
		return func(_, b, _ uint64) uint64 { return b }
	case "and":
		return func(old, b, _ uint64) uint64 { return old & b }
	case "or":
		return func(old, b, _ uint64) uint64 { return old | b }
	case "xor":
		return func(old, b, _ uint64) uint64 { return old ^ b }
	case "cas":
		return func(old, b, c uint64) uint64 {
			if old == b {
				return c
			}
			return old
		}
	case "inc":
		return func(old, b, _ uint64) uint64 {
			if old >= b {
				return 0
			}
			return old + 1
		}
	case "dec":
		return func(old, b, _ uint64) uint64 {
			if old == 0 || old > b {
				return b
			}
			return old - 1
		}
	case "add":
		return atomicAdd(t)
	}
	lo := op == "min"
	if t.Float() {
		return atomicExtremum(t, lo)
	}
	return func(old, b, _ uint64) uint64 {
		less := old < b
		if t.Signed() {
			less = int64(extend(old, t)) < int64(extend(b, t))
		}
		if less == lo {
			return old
		}
		return b
	}
}

// atomicExtremum is min and max of 16-bit floating-point numbers, one or two.
func atomicExtremum(t ptx.Type, lo bool) func(old, b, c uint64) uint64 {
	if t == ptx.F32 || t == ptx.F64 || t == ptx.TF32 {
		return nil
	}
	fm, ext := formatOf(t), floatExtremum[float32](lo, false)
	one := func(x, y uint64) uint64 { return uint64(fm.store(ext(fm.load(uint16(x)), fm.load(uint16(y))))) }
	if t.Size() == 2 {
		return func(old, b, _ uint64) uint64 { return one(old, b) }
	}
	return func(old, b, _ uint64) uint64 { return one(old, b) | one(old>>16, b>>16)<<16 }
}

func atomicAdd(t ptx.Type) func(old, b, c uint64) uint64 {
	switch t {
	case ptx.F32:
		return func(old, b, _ uint64) uint64 {
			return uint64(math.Float32bits(math.Float32frombits(uint32(old)) + math.Float32frombits(uint32(b))))
		}
	case ptx.F64:
		return func(old, b, _ uint64) uint64 {
			return math.Float64bits(math.Float64frombits(old) + math.Float64frombits(b))
		}
	case ptx.F16x2, ptx.BF16x2:
		fm := formatOf(t)
		one := func(x, y uint64) uint64 { return uint64(fm.store(fm.load(uint16(x)) + fm.load(uint16(y)))) }
		return func(old, b, _ uint64) uint64 { return one(old, b) | one(old>>16, b>>16)<<16 }
	case ptx.F16, ptx.BF16:
		fm := formatOf(t)
		return func(old, b, _ uint64) uint64 { return uint64(fm.store(fm.load(uint16(old)) + fm.load(uint16(b)))) }
	}
	return func(old, b, _ uint64) uint64 { return old + b }
}

// atomicAccess is atom and red, of one number or, for sums and extremes of floating-point numbers, of a vector.
func atomicAccess(d *decoder) {
	d.dropHint()
	d.allowMemory(append([]string{"noftz"}, atomicOps...)...)
	op := ""
	for _, m := range d.in.Mods {
		for _, o := range atomicOps {
			if m == o {
				op = m
			}
		}
	}
	t := d.typ()
	vector := d.has("v2") || d.has("v4") || d.has("v8")
	update := atomicUpdate(op, t)
	if op == "" || update == nil || t.Size() < 2 || t.Size() > 8 || t.Size() == 2 && !t.Float() && op != "cas" || vector && (!t.Float() || t == ptx.F64) {
		d.fail("this form is not supported")
		return
	}
	args := d.in.Args
	var dst []int32
	if d.in.Op == "atom" {
		if len(args) == 0 {
			d.fail("operands are missing")
			return
		}
		for _, o := range d.elements(args[0]) {
			dst = append(dst, d.result(o, t.Size()))
		}
		args = args[1:]
	}
	want := 2
	if op == "cas" {
		want = 3
	}
	if len(args) != want {
		d.fail("wrong number of operands")
		return
	}
	var src []int32
	for _, o := range d.elements(args[1]) {
		src = append(src, d.value(o, t))
		if d.in.Op == "red" {
			dst = append(dst, d.room(t.Size()))
		}
	}
	if d.err != nil {
		return
	}
	d.out.d, d.out.b, d.out.c = dst[0], src[0], src[0]
	if op == "cas" {
		d.out.c = d.value(args[2], t)
	}
	m := d.memory(args[0], t.Size()*len(src))
	m.read, m.write, m.atomic = true, true, true
	d.out.mem = m
	switch {
	case vector || t.Size() == 2:
		c := d.out.c
		d.emit(Atomic, func(w *warp, in *inst) { atomicParts(w, in, t.Size(), dst, src, c, update) })
	case t.Size() == 4:
		d.emit(Atomic, func(w *warp, in *inst) { atomic32(w, in, update) })
	default:
		d.emit(Atomic, func(w *warp, in *inst) { atomic64(w, in, update) })
	}
}

// atomicParts updates the elements of a vector, or one number of 16 bits, lane by lane; each element is one step of its own.
func atomicParts(w *warp, in *inst, size int, dst, src []int32, third int32, update func(old, b, c uint64) uint64) {
	if !w.resolve(in) {
		return
	}
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		for i, at := range src {
			c := getLane(w, third, l, size)
			putLane(w, dst[i], l, size, updateAt(unsafe.Add(w.ptrs[l], i*size), size, getLane(w, at, l, size), c, update))
		}
	}
}

// updateAt makes one step of size bytes and returns the old value. Two bytes are part of a word: the other half stays.
func updateAt(p unsafe.Pointer, size int, b, c uint64, update func(old, b, c uint64) uint64) uint64 {
	switch size {
	case 2:
		shift := uintptr(p) & 2 * 8
		word := (*uint32)(unsafe.Add(p, -int(uintptr(p)&2)))
		for {
			all := atomic.LoadUint32(word)
			old := uint64(uint16(all >> shift))
			if atomic.CompareAndSwapUint32(word, all, all&^(0xffff<<shift)|uint32(uint16(update(old, b, c)))<<shift) {
				return old
			}
		}
	case 4:
		word := (*uint32)(p)
		for {
			old := atomic.LoadUint32(word)
			if atomic.CompareAndSwapUint32(word, old, uint32(update(uint64(old), b, c))) {
				return uint64(old)
			}
		}
	}
	word := (*uint64)(p)
	for {
		old := atomic.LoadUint64(word)
		if atomic.CompareAndSwapUint64(word, old, update(old, b, c)) {
			return old
		}
	}
}

// atomic32 updates lane by lane, in order of lanes. Blocks run at the same time, so each update is one for the host's memory too.
func atomic32(w *warp, in *inst, update func(old, b, c uint64) uint64) {
	if !w.resolve(in) {
		return
	}
	d, b, c := reg[uint32](w, in.d), reg[uint32](w, in.b), reg[uint32](w, in.c)
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		p := (*uint32)(w.ptrs[l])
		for {
			old := atomic.LoadUint32(p)
			if atomic.CompareAndSwapUint32(p, old, uint32(update(uint64(old), uint64(b[l]), uint64(c[l])))) {
				d[l] = old
				break
			}
		}
	}
}

func atomic64(w *warp, in *inst, update func(old, b, c uint64) uint64) {
	if !w.resolve(in) {
		return
	}
	d, b, c := reg[uint64](w, in.d), reg[uint64](w, in.b), reg[uint64](w, in.c)
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		p := (*uint64)(unsafe.Pointer(w.ptrs[l]))
		for {
			old := atomic.LoadUint64(p)
			if atomic.CompareAndSwapUint64(p, old, update(old, b[l], c[l])) {
				d[l] = old
				break
			}
		}
	}
}
