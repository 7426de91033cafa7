package emu

import (
	"math/bits"
	"slices"
	"strings"
	"unsafe"

	"artel/kernels/cuda/emu/ptx"
)

var memoryWords = []string{"weak", "volatile", "relaxed", "acquire", "release", "acq_rel", "cta", "gpu", "sys", "cluster", "ca", "cg", "cs", "lu", "cv", "wb", "wt", "nc",
	"v2", "v4", "v8", "unified"}

// allowMemory checks the modifiers of a memory access; hints for the caches have no effect.
func (d *decoder) allowMemory(more ...string) {
	for _, m := range d.in.Mods {
		if ptx.TypeOf(m) == ptx.NoType && !slices.Contains(memoryWords, m) && !slices.Contains(spaceWords, m) && !slices.Contains(more, m) && !strings.HasPrefix(m, "L1::") && !strings.HasPrefix(m, "L2::") {
			d.fail("modifier .%s is not supported here", m)
		}
	}
}

// memory decodes an address operand for accesses of n bytes.
func (d *decoder) memory(o ptx.Operand, n int) *access {
	if o.Kind != ptx.KMem || len(o.List) != 1 {
		d.fail("an address in brackets is wanted")
		return &access{base: -1}
	}
	return d.addressed(o, d.spaceMod(), n)
}

// addressed decodes the base and offset of an address in a space.
func (d *decoder) addressed(o ptx.Operand, space ptx.Space, n int) *access {
	m := &access{space: space, base: -1, bytes: uint64(n), off: uint64(o.Off)}
	switch b := o.List[0]; b.Kind {
	case ptx.KReg:
		t := d.k.Regs[b.Reg].Type
		if t.Size() != 4 && t.Size() != 8 {
			d.fail("register %s of type .%s is not an address", d.k.Regs[b.Reg].Name, t)
		}
		m.base, m.wide = d.place(b.Reg), t.Size() == 8
	case ptx.KVar:
		m.off += d.address(b)
		if space == ptx.NoSpace {
			m.off += window(b.Var.Space)
		}
		if b.Var.Space == ptx.Local {
			if m.frame = d.callee != nil; space == ptx.Parameter { // parameters of functions lie in the frame
				m.space = ptx.Local
			}
		}
	case ptx.KParam:
		m.off += uint64(d.k.Params[b.Param].Offset)
		if space == ptx.NoSpace {
			m.off += paramWindow
		}
	case ptx.KInt:
		m.off += b.Bits
	default:
		d.fail("this is not an address")
	}
	return m
}

func classOf(s ptx.Space) Class {
	switch s {
	case ptx.Shared:
		return SharedMem
	case ptx.Global, ptx.NoSpace:
		return GlobalMem
	}
	return OtherMem
}

// elements returns the operands of a vector, or the one operand.
func (d *decoder) elements(o ptx.Operand) []ptx.Operand {
	n := 1
	for _, m := range d.in.Mods {
		switch m {
		case "v2", "v4", "v8":
			n = int(m[1] - '0')
		}
	}
	list := []ptx.Operand{o}
	if o.Kind == ptx.KVec {
		list = o.List
	}
	if len(list) != n {
		d.fail("%d elements, want %d", len(list), n)
	}
	return list
}

// dropHint takes off the cache policy that .L2::cache_hint adds to the operands.
func (d *decoder) dropHint() {
	if n := len(d.in.Args); d.has("L2::cache_hint") && n > 0 {
		d.src(n-1, ptx.B64)
		in := *d.in
		in.Args = in.Args[:n-1]
		d.in, d.out.asm = &in, &in
	}
}

// cachePolicy is createpolicy: a policy is a hint without effect here.
func cachePolicy(d *decoder) {
	if len(d.in.Args) < 1 {
		d.fail("operands are missing")
		return
	}
	d.out.d, d.out.a = d.result(d.arg(0), 8), d.number(0, 8)
	d.emit(Move, movLanes[uint64])
}

// load is ld and ldu.
func load(d *decoder) {
	d.dropHint()
	if !d.count(2) {
		return
	}
	d.allowMemory()
	t := d.typ()
	list := d.elements(d.arg(0))
	n := 0
	for _, o := range list {
		at, size := d.anyDst(o, t)
		if n != 0 && size != n {
			d.fail("elements of different size")
		}
		n = size
		d.out.list = append(d.out.list, at)
	}
	if d.err != nil {
		return
	}
	m := d.memory(d.arg(1), t.Size()*len(list))
	m.read = true
	d.out.mem, d.out.d = m, d.out.list[0]
	d.emit(classOf(m.space), loader(t, n, len(list)))
}

// loader picks the loop by the type in memory and the bytes of the register.
func loader(t ptx.Type, n, count int) handler {
	size := t.Size()
	switch {
	case size == n && n == 2:
		return loading[uint16, uint16](count)
	case size == n && n == 4:
		return loading[uint32, uint32](count)
	case size == n && n == 8:
		return loading[uint64, uint64](count)
	case size == 1 && t.Signed():
		return bySize(n, loading[int8, int16](count), loading[int8, int32](count), loading[int8, int64](count))
	case size == 1:
		return bySize(n, loading[uint8, uint16](count), loading[uint8, uint32](count), loading[uint8, uint64](count))
	case size == 2 && t.Signed():
		return bySize(n, nil, loading[int16, int32](count), loading[int16, int64](count))
	case size == 2:
		return bySize(n, nil, loading[uint16, uint32](count), loading[uint16, uint64](count))
	case size == 4 && t.Signed():
		return bySize(n, nil, nil, loading[int32, int64](count))
	case size == 4:
		return bySize(n, nil, nil, loading[uint32, uint64](count))
	}
	return nil
}

type word interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// loading is a load of count elements of type M into registers of type R.
func loading[M, R word](count int) handler {
	if count == 1 {
		return func(w *warp, in *inst) {
			if !w.resolve(in) {
				return
			}
			d := reg[R](w, in.d)
			if w.exec == every {
				for l := range d {
					d[l] = R(*(*M)(w.ptrs[l]))
				}
				return
			}
			for m := w.exec; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m)
				d[l] = R(*(*M)(w.ptrs[l]))
			}
		}
	}
	return func(w *warp, in *inst) {
		if !w.resolve(in) {
			return
		}
		for i, at := range in.list {
			d := reg[R](w, at)
			off := uintptr(i) * unsafe.Sizeof(M(0))
			for m := w.exec; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m)
				d[l] = R(*(*M)(unsafe.Add(w.ptrs[l], off)))
			}
		}
	}
}

// store is st.
func store(d *decoder) {
	d.dropHint()
	if !d.count(2) {
		return
	}
	d.allowMemory()
	t := d.typ()
	list := d.elements(d.arg(1))
	n := make([]int, len(list))
	for i, o := range list {
		at, size := d.anySrc(o, t)
		d.out.list = append(d.out.list, at)
		n[i] = size
	}
	if d.err != nil {
		return
	}
	m := d.memory(d.arg(0), t.Size()*len(list))
	m.write = true
	d.out.mem, d.out.a = m, d.out.list[0]
	if len(list) == 1 && n[0] == t.Size() {
		d.emit(classOf(m.space), bySize(n[0], storing[uint16], storing[uint32], storing[uint64]))
		return
	}
	d.emit(classOf(m.space), storingParts(t.Size(), n))
}

func storing[T word](w *warp, in *inst) {
	if !w.resolve(in) {
		return
	}
	a := reg[T](w, in.a)
	if w.exec == every {
		for l := range a {
			*(*T)(w.ptrs[l]) = a[l]
		}
		return
	}
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		*(*T)(w.ptrs[l]) = a[l]
	}
}

// storingParts is a store of several elements of size bytes from registers of n bytes.
func storingParts(size int, n []int) handler {
	return func(w *warp, in *inst) {
		if !w.resolve(in) {
			return
		}
		for i, at := range in.list {
			for m := w.exec; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m)
				v, p := getLane(w, at, l, n[i]), unsafe.Add(w.ptrs[l], i*size)
				switch size {
				case 1:
					*(*uint8)(p) = uint8(v)
				case 2:
					*(*uint16)(p) = uint16(v)
				case 4:
					*(*uint32)(p) = uint32(v)
				default:
					*(*uint64)(p) = v
				}
			}
		}
	}
}
