package emu

import (
	"slices"
	"unsafe"

	"artel/kernels/cuda/emu/ptx"
)

// A fragment of wmma is a matrix spread over the lanes of a warp in an order that only the machine knows: programs load, multiply, map over all elements and store. Here element i, in
// the order of rows, is number i/32 of lane i%32; registers that are left over hold zeros.

// tileShape is the size of the products of wmma, D[m,n] = A[m,k] B[k,n] + C.
type tileShape struct{ m, n, k int }

// tileOf reads m16n16k16 and the like.
func tileOf(word string) (s tileShape) {
	n := [3]*int{&s.m, &s.n, &s.k}
	at := 0
	for _, c := range word {
		if i := slices.Index([]rune{'m', 'n', 'k'}, c); i >= 0 {
			at = i
		} else if c >= '0' && c <= '9' {
			*n[at] = *n[at]*10 + int(c-'0')
		}
	}
	return s
}

// matrix is the size of one of the four matrices.
func (s tileShape) matrix(which string) (rows, cols int) {
	switch which {
	case "a":
		return s.m, s.k
	case "b":
		return s.k, s.n
	}
	return s.m, s.n
}

// tileForms lists the shapes by the type of A and B.
var tileForms = map[string][]string{
	"f16": {"m16n16k16", "m32n8k16", "m8n32k16"}, "bf16": {"m16n16k16", "m32n8k16", "m8n32k16"}, "tf32": {"m16n16k8"},
	"s8": {"m16n16k16", "m32n8k16", "m8n32k16"}, "u8": {"m16n16k16", "m32n8k16", "m8n32k16"},
}

// tileRegisters is the number of 32-bit registers of a fragment.
func tileRegisters(which string, t string, rows, cols int) int {
	switch {
	case which == "c" || which == "d":
		if t == "f16" {
			return 4
		}
		return 8
	case t == "f16": // every element is there twice
		return 8
	case t == "tf32":
		return 4
	case t == "bf16":
		return rows * cols / 64
	}
	return rows * cols / 128
}

// tile is wmma.load, wmma.store and wmma.mma.
func tile(d *decoder) {
	switch d.word(0) {
	case "load":
		d.moveTile(true)
	case "store":
		d.moveTile(false)
	case "mma":
		d.multiplyTile()
	default:
		d.fail("this form is not supported")
	}
}

// registers returns the places of the registers of a fragment.
func (d *decoder) registers(o ptx.Operand, n int, result bool) (out []int32) {
	list := o.List
	if o.Kind != ptx.KVec {
		list = []ptx.Operand{o}
	}
	if len(list) != n {
		d.fail("a fragment of %d registers, want %d", len(list), n)
	}
	for _, x := range list {
		if result {
			out = append(out, d.result(x, 4))
		} else {
			out = append(out, d.value(x, ptx.B32))
		}
	}
	return out
}

// moveTile is wmma.load and wmma.store: every lane gives the same address, and a distance between rows, or columns, in elements.
func (d *decoder) moveTile(load bool) {
	mods := d.in.Mods // load, matrix, sync, aligned, layout, shape, space?, type
	if len(mods) < 7 || mods[2] != "sync" || mods[3] != "aligned" {
		d.fail("this form is not supported")
		return
	}
	which, byRows, t := mods[1], mods[4] == "row", mods[len(mods)-1]
	s := tileOf(mods[5])
	rows, cols := s.matrix(which)
	known := slices.Contains(tileForms[t], mods[5])
	if which == "c" || which == "d" {
		known = slices.Contains([]string{"f16", "f32", "s32"}, t) && (slices.Contains(tileForms["f16"], mods[5]) || t == "f32" && slices.Contains(tileForms["tf32"], mods[5]))
	} else if which != "a" && which != "b" || !load {
		known = false
	}
	size := map[string]int{"f16": 2, "bf16": 2, "tf32": 4, "f32": 4, "s32": 4, "s8": 1, "u8": 1}[t]
	args := d.in.Args
	if !known || size == 0 || len(args) < 2 || len(args) > 3 {
		d.fail("this form is not supported")
		return
	}
	regs, at := args[0], args[1]
	if !load {
		regs, at = at, regs
	}
	list := d.registers(regs, tileRegisters(which, t, rows, cols), load)
	stride := int32(-1)
	if len(args) == 3 {
		stride = d.value(args[2], ptx.U32)
	}
	m := d.memory(at, size)
	m.read, m.write, m.wide16 = load, !load, true
	step := d.room(8)
	to := d.out
	to.mem = &access{space: m.space, base: step, wide: true, bytes: uint64(size), read: load, write: !load, wide16: true}
	leading := cols
	if !byRows {
		leading = rows
	}
	d.emit(classOf(m.space), func(w *warp, in *inst) {
		if !w.whole(in, BadMask) {
			return
		}
		w.addresses(m)
		base, dist := w.addrs[0], uint64(leading)
		if stride >= 0 {
			dist = uint64(reg[uint32](w, stride)[0])
		}
		if load {
			for _, r := range list {
				*reg[uint32](w, r) = [lanes]uint32{}
			}
		}
		for slot := range rows * cols / lanes {
			addr := reg[uint64](w, step)
			for l := range addr {
				i := slot*lanes + l
				r, c := uint64(i/cols), uint64(i%cols)
				if !byRows {
					r, c = c, r
				}
				addr[l] = base + (r*dist+c)*uint64(size)
			}
			if !w.resolve(&to) {
				return
			}
			per := 4 / size
			words := reg[uint32](w, list[slot/per])
			shift := slot % per * size * 8
			for l, p := range w.ptrs {
				moveElement(p, &words[l], size, shift, load)
			}
		}
	})
}

// moveElement moves size bytes between memory and a part of a register.
func moveElement(p unsafe.Pointer, word *uint32, size, shift int, load bool) {
	switch {
	case load && size == 1:
		*word |= uint32(*(*uint8)(p)) << shift
	case load && size == 2:
		*word |= uint32(*(*uint16)(p)) << shift
	case load:
		*word = *(*uint32)(p)
	case size == 1:
		*(*uint8)(p) = uint8(*word >> shift)
	case size == 2:
		*(*uint16)(p) = uint16(*word >> shift)
	default:
		*(*uint32)(p) = *word
	}
}

// multiplyTile is wmma.mma: products of f16 with sums in f32 or f16, of bf16 and tf32 with sums in f32, of 8-bit integers with sums in 32 bits.
func (d *decoder) multiplyTile() {
	mods := slices.DeleteFunc(slices.Clone(d.in.Mods), func(m string) bool { return m == "satfinite" })
	if len(mods) == 8 { // mma.sync.aligned.row.col.shape.dtype.ctype: the factors are f16
		mods = []string{mods[0], mods[1], mods[2], mods[3], mods[4], mods[5], mods[6], "f16", "f16", mods[7]}
	}
	if len(mods) != 10 || !d.count(4) {
		d.fail("this form is not supported")
		return
	}
	sat, shape, td, t, tc := d.has("satfinite"), mods[5], mods[6], mods[7], mods[9]
	whole := t == "s8" || t == "u8"
	sums := map[bool]string{true: "s32", false: "f32"}[whole]
	if t != mods[8] || !slices.Contains(tileForms[t], shape) || (td != sums || tc != sums) && !(t == "f16" && (td == "f16" || td == "f32") && (tc == "f16" || tc == "f32")) || sat && !whole {
		d.fail("this form is not supported")
		return
	}
	s := tileOf(shape)
	a := d.registers(d.arg(1), tileRegisters("a", t, s.m, s.k), false)
	b := d.registers(d.arg(2), tileRegisters("b", t, s.k, s.n), false)
	c := d.registers(d.arg(3), tileRegisters("c", tc, s.m, s.n), false)
	out := d.registers(d.arg(0), tileRegisters("d", td, s.m, s.n), true)
	flops := uint64(2 * s.m * s.n * s.k)
	d.emit(Matrix, func(w *warp, in *inst) {
		if !w.whole(in, BadMask) {
			return
		}
		w.blk.count.TensorFLOPs += flops
		x, y, z := tileValues(w, a, t, s.m*s.k), tileValues(w, b, t, s.k*s.n), tileValues(w, c, tc, s.m*s.n)
		for i := range s.m {
			for j := range s.n {
				z[i*s.n+j] = tileSum(x[i*s.k:(i+1)*s.k], y[j:], s.n, z[i*s.n+j], whole, sat)
			}
		}
		putTile(w, out, td, z)
	})
}

// tileSum adds k products to a sum, k ascending: in float32, or exactly.
func tileSum(x, y []float64, step int, sum float64, whole, sat bool) float64 {
	if whole {
		for k, v := range x {
			sum += v * y[k*step]
		}
		if sat {
			return max(-1<<31, min(1<<31-1, sum))
		}
		return float64(int32(int64(sum)))
	}
	f := float32(sum)
	for k, v := range x {
		f += float32(v) * float32(y[k*step])
	}
	return float64(f)
}

// tileValues reads a fragment in the order of rows; every type's numbers are exact in float64.
func tileValues(w *warp, regs []int32, t string, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		slot, l := i/lanes, i%lanes
		word := func(per int) uint32 {
			return reg[uint32](w, regs[slot/per])[l] >> (slot % per * 32 / per)
		}
		switch t {
		case "f16":
			out[i] = float64(halfToFloat(uint16(word(2))))
		case "bf16":
			out[i] = float64(brainToFloat(uint16(word(2))))
		case "tf32":
			out[i] = float64(tensorFloat(word(1)))
		case "f32":
			out[i] = float64(reg[float32](w, regs[slot])[l])
		case "s32":
			out[i] = float64(int32(word(1)))
		case "s8":
			out[i] = float64(int8(word(4)))
		default:
			out[i] = float64(uint8(word(4)))
		}
	}
	return out
}

// putTile writes a fragment of sums.
func putTile(w *warp, regs []int32, t string, v []float64) {
	for _, r := range regs {
		*reg[uint32](w, r) = [lanes]uint32{}
	}
	for i, x := range v {
		slot, l := i/lanes, i%lanes
		switch t {
		case "f16":
			reg[uint32](w, regs[slot/2])[l] |= uint32(floatToHalf(float32(x))) << (slot % 2 * 16)
		case "f32":
			reg[float32](w, regs[slot])[l] = float32(x)
		default:
			reg[int32](w, regs[slot])[l] = int32(x)
		}
	}
}
