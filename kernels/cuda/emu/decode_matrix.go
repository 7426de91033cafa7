package emu

import (
	"unsafe"

	"artel/kernels/cuda/emu/ptx"
)

// matrices returns the number of 8x8 matrices of ldmatrix and stmatrix.
func (d *decoder) matrices() int {
	switch {
	case d.has("x1"):
		return 1
	case d.has("x2"):
		return 2
	case d.has("x4"):
		return 4
	}
	d.fail("one of .x1, .x2, .x4 is wanted")
	return 1
}

// moveMatrix is ldmatrix and stmatrix of 8x8 matrices of 16-bit elements: lane 8i+r gives the address of row r of matrix i, lane l holds two elements of row l/4,
// or of column l/4 with .trans.
func moveMatrix(d *decoder) {
	if !d.count(2) {
		return
	}
	d.allow("sync", "aligned", "m8n8", "x1", "x2", "x4", "trans", "shared", "shared::cta")
	if !d.has("m8n8") || d.typ() != ptx.B16 {
		d.fail("shape m8n8 of b16 is supported")
		return
	}
	load := d.in.Op == "ldmatrix"
	regs, at := d.arg(0), d.arg(1)
	if !load {
		regs, at = at, regs
	}
	n, trans := d.matrices(), d.has("trans")
	list := []ptx.Operand{regs}
	if regs.Kind == ptx.KVec {
		list = regs.List
	}
	if len(list) != n {
		d.fail("%d registers, want %d", len(list), n)
		return
	}
	for _, o := range list {
		if load {
			d.out.list = append(d.out.list, d.result(o, 4))
		} else {
			d.out.list = append(d.out.list, d.value(o, ptx.B32))
		}
	}
	m := d.memory(at, 16)
	m.read, m.write, m.wide16 = load, !load, true
	d.out.mem = m
	rows := uint32(uint64(1)<<(8*n) - 1)
	d.emit(SharedMem, func(w *warp, in *inst) {
		if !w.whole(in, BadMask) {
			return
		}
		all := w.exec
		w.exec = rows
		ok := w.resolve(in)
		if w.exec = all; !ok {
			return
		}
		for i, r := range in.list {
			lanes := reg[[2]uint16](w, r)
			p := (*[8]unsafe.Pointer)(w.ptrs[8*i:])
			for l := range lanes {
				hi, lo := l>>2, l&3*2
				for e := range 2 {
					row, col := hi, lo+e
					if trans {
						row, col = col, row
					}
					at := &(*[8]uint16)(p[row])[col]
					if load {
						lanes[l][e] = *at
					} else {
						*at = lanes[l][e]
					}
				}
			}
		}
	})
}

// matrixShape is a form of mma.sync: D[16,8] = A[16,k] B[k,8] + C.
type matrixShape struct {
	k    int
	wide bool // elements of 32 bits (tf32)
	load func(uint16) float32
}

// matrixMultiply is mma.sync with float32 accumulation.
func matrixMultiply(d *decoder) {
	if !d.count(4) {
		return
	}
	d.allow("sync", "aligned", "row", "col", "m16n8k16", "m16n8k8", "m16n8k4")
	if n := len(d.in.Mods); n != 9 {
		d.fail("shape, layouts and four types are wanted")
		return
	}
	types := d.in.Mods[5:]
	s := matrixShape{}
	switch d.word(2) {
	case "m16n8k16":
		s.k = 16
	case "m16n8k8":
		s.k = 8
	case "m16n8k4":
		s.k = 4
	}
	switch {
	case types[0] != "f32" || types[3] != "f32" || types[1] != types[2] || d.word(3) != "row" || d.word(4) != "col":
		s.k = 0
	case types[1] == "bf16" && s.k >= 8:
		s.load = brainToFloat
	case types[1] == "f16" && s.k >= 8:
		s.load = halfToFloat
	case types[1] == "tf32" && s.k <= 8:
		s.wide = true
	default:
		s.k = 0
	}
	if s.k == 0 {
		d.fail("this form is not supported")
		return
	}
	per := 2 // elements of a register
	if s.wide {
		per = 1
	}
	a, b := d.fragment(1, 16*s.k/32/per), d.fragment(2, 8*s.k/32/per)
	c := d.fragment(3, 4)
	dst := d.arg(0)
	if len(dst.List) != 4 {
		d.fail("%d results, want 4", len(dst.List))
		return
	}
	for _, o := range dst.List {
		d.out.list = append(d.out.list, d.result(o, 4))
	}
	flops := uint64(2 * 16 * 8 * s.k)
	d.emit(Matrix, func(w *warp, in *inst) {
		if w.whole(in, BadMask) {
			w.blk.count.TensorFLOPs += flops
			s.multiply(w, in.list, a, b, c)
		}
	})
}

// fragment returns the places of n registers of 32 bits.
func (d *decoder) fragment(i, n int) []int32 {
	o := d.arg(i)
	list := o.List
	if o.Kind != ptx.KVec {
		list = []ptx.Operand{o}
	}
	if len(list) != n {
		d.fail("operand %d has %d registers, want %d", i+1, len(list), n)
	}
	var out []int32
	for _, o := range list {
		out = append(out, d.value(o, ptx.B32))
	}
	return out
}

// multiply gathers the fragments (PTX ISA, matrix fragments for mma.m16n8k16), multiplies in float32 and adds k ascending.
func (s *matrixShape) multiply(w *warp, d, a, b, c []int32) {
	var x [16][16]float32
	var y [16][8]float32
	if s.wide {
		for r, at := range a {
			for l, v := range reg[uint32](w, at) {
				x[l>>2+r&1*8][l&3+r>>1*4] = tensorFloat(v)
			}
		}
		for r, at := range b {
			for l, v := range reg[uint32](w, at) {
				y[l&3+r*4][l>>2] = tensorFloat(v)
			}
		}
	} else {
		for r, at := range a {
			for l, v := range reg[[2]uint16](w, at) {
				row, col := l>>2+r&1*8, l&3*2+r>>1*8
				x[row][col], x[row][col+1] = s.load(v[0]), s.load(v[1])
			}
		}
		for r, at := range b {
			for l, v := range reg[[2]uint16](w, at) {
				row := l&3*2 + r*8
				y[row][l>>2], y[row+1][l>>2] = s.load(v[0]), s.load(v[1])
			}
		}
	}
	var z [16][8]float32
	for r, at := range c {
		for l, v := range reg[float32](w, at) {
			z[l>>2+r>>1*8][l&3*2+r&1] = v
		}
	}
	for i := range z {
		rowTimes(&z[i], x[i][:s.k], &y)
	}
	for r, at := range d {
		out := reg[float32](w, at)
		for l := range out {
			out[l] = z[l>>2+r>>1*8][l&3*2+r&1]
		}
	}
}

// rowTimes adds the product of a row and a matrix of eight columns to z.
func rowTimes(z *[8]float32, x []float32, y *[16][8]float32) {
	z0, z1, z2, z3, z4, z5, z6, z7 := z[0], z[1], z[2], z[3], z[4], z[5], z[6], z[7]
	for k, v := range x {
		r := &y[k&15]
		z0 += v * r[0]
		z1 += v * r[1]
		z2 += v * r[2]
		z3 += v * r[3]
		z4 += v * r[4]
		z5 += v * r[5]
		z6 += v * r[6]
		z7 += v * r[7]
	}
	*z = [8]float32{z0, z1, z2, z3, z4, z5, z6, z7}
}
