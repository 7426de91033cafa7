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
	if t.Float() {
		return nil
	}
	lo := op == "min"
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
		return nil
	}
	return func(old, b, _ uint64) uint64 { return old + b }
}

// atomicAccess is atom and red.
func atomicAccess(d *decoder) {
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
	update := atomicUpdate(op, t)
	if op == "" || update == nil || t.Size() != 4 && t.Size() != 8 {
		d.fail("this form is not supported")
		return
	}
	args := d.in.Args
	if d.in.Op == "atom" {
		if len(args) == 0 {
			d.fail("operands are missing")
			return
		}
		d.out.d = d.dst(0, t)
		args = args[1:]
	} else {
		d.out.d = d.room(t.Size())
	}
	want := 2
	if op == "cas" {
		want = 3
	}
	if len(args) != want {
		d.fail("wrong number of operands")
		return
	}
	d.out.b = d.value(args[1], t)
	d.out.c = d.out.b
	if op == "cas" {
		d.out.c = d.value(args[2], t)
	}
	m := d.memory(args[0], t.Size())
	m.read, m.write, m.atomic = true, true, true
	d.out.mem = m
	if t.Size() == 4 {
		d.emit(Atomic, func(w *warp, in *inst) { atomic32(w, in, update) })
	} else {
		d.emit(Atomic, func(w *warp, in *inst) { atomic64(w, in, update) })
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
