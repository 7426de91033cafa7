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
	d.out.list = d.registers(regs, n, load)
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
