package emu

import "math/bits"

// The handlers in this file have their loops written out: they make up most of what kernels execute.

func addLanes[T number](w *warp, in *inst) {
	d, a, b := reg[T](w, in.d), reg[T](w, in.a), reg[T](w, in.b)
	if w.exec == every {
		for l := range d {
			d[l] = a[l] + b[l]
		}
		return
	}
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		d[l] = a[l] + b[l]
	}
}

func subLanes[T number](w *warp, in *inst) {
	d, a, b := reg[T](w, in.d), reg[T](w, in.a), reg[T](w, in.b)
	if w.exec == every {
		for l := range d {
			d[l] = a[l] - b[l]
		}
		return
	}
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		d[l] = a[l] - b[l]
	}
}

func mulLanes[T number](w *warp, in *inst) {
	d, a, b := reg[T](w, in.d), reg[T](w, in.a), reg[T](w, in.b)
	if w.exec == every {
		for l := range d {
			d[l] = a[l] * b[l]
		}
		return
	}
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		d[l] = a[l] * b[l]
	}
}

func madLanes[T integer](w *warp, in *inst) {
	d, a, b, c := reg[T](w, in.d), reg[T](w, in.a), reg[T](w, in.b), reg[T](w, in.c)
	if w.exec == every {
		for l := range d {
			d[l] = a[l]*b[l] + c[l]
		}
		return
	}
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		d[l] = a[l]*b[l] + c[l]
	}
}

func fmaLanes(w *warp, in *inst) {
	d, a, b, c := reg[float32](w, in.d), reg[float32](w, in.a), reg[float32](w, in.b), reg[float32](w, in.c)
	if w.exec == every {
		for l := range d {
			d[l] = fma32(a[l], b[l], c[l])
		}
		return
	}
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		d[l] = fma32(a[l], b[l], c[l])
	}
}

func andLanes[T integer](w *warp, in *inst) {
	d, a, b := reg[T](w, in.d), reg[T](w, in.a), reg[T](w, in.b)
	if w.exec == every {
		for l := range d {
			d[l] = a[l] & b[l]
		}
		return
	}
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		d[l] = a[l] & b[l]
	}
}

func orLanes[T integer](w *warp, in *inst) {
	d, a, b := reg[T](w, in.d), reg[T](w, in.a), reg[T](w, in.b)
	if w.exec == every {
		for l := range d {
			d[l] = a[l] | b[l]
		}
		return
	}
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		d[l] = a[l] | b[l]
	}
}

func xorLanes[T integer](w *warp, in *inst) {
	d, a, b := reg[T](w, in.d), reg[T](w, in.a), reg[T](w, in.b)
	if w.exec == every {
		for l := range d {
			d[l] = a[l] ^ b[l]
		}
		return
	}
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		d[l] = a[l] ^ b[l]
	}
}

// shlLanes and shrLanes shift by at most the width, as PTX says; Go gives zero, or the sign, beyond it.
func shlLanes[T integer](w *warp, in *inst) {
	d, a, b := reg[T](w, in.d), reg[T](w, in.a), reg[uint32](w, in.b)
	if w.exec == every {
		for l := range d {
			d[l] = a[l] << b[l]
		}
		return
	}
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		d[l] = a[l] << b[l]
	}
}

func shrLanes[T integer](w *warp, in *inst) {
	d, a, b := reg[T](w, in.d), reg[T](w, in.a), reg[uint32](w, in.b)
	if w.exec == every {
		for l := range d {
			d[l] = a[l] >> b[l]
		}
		return
	}
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		d[l] = a[l] >> b[l]
	}
}

func movLanes[T any](w *warp, in *inst) {
	d, a := reg[T](w, in.d), reg[T](w, in.a)
	if w.exec == every {
		*d = *a
		return
	}
	for m := w.exec; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		d[l] = a[l]
	}
}

// selLanes is selp: a where the predicate is set, else b.
func selLanes[T any](w *warp, in *inst) {
	d, a, b := reg[T](w, in.d), reg[T](w, in.a), reg[T](w, in.b)
	p := *pred(w, in.c) ^ uint32(in.imm)
	for m := w.exec & p; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		d[l] = a[l]
	}
	for m := w.exec &^ p; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m)
		d[l] = b[l]
	}
}
