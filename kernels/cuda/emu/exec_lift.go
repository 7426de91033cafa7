package emu

import "math/bits"

// number is what arithmetic works on.
type number interface {
	~int16 | ~int32 | ~int64 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

type integer interface {
	~int16 | ~int32 | ~int64 | ~uint16 | ~uint32 | ~uint64
}

type floating interface{ ~float32 | ~float64 }

// lift1 makes a handler of a function of one lane.
func lift1[D, A any](f func(A) D) handler {
	return func(w *warp, in *inst) {
		d, a := reg[D](w, in.d), reg[A](w, in.a)
		if w.exec == every {
			for l := range d {
				d[l] = f(a[l])
			}
			return
		}
		for m := w.exec; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			d[l] = f(a[l])
		}
	}
}

// lift2 makes a handler of a function of two lanes.
func lift2[D, A, B any](f func(A, B) D) handler {
	return func(w *warp, in *inst) {
		d, a, b := reg[D](w, in.d), reg[A](w, in.a), reg[B](w, in.b)
		if w.exec == every {
			for l := range d {
				d[l] = f(a[l], b[l])
			}
			return
		}
		for m := w.exec; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			d[l] = f(a[l], b[l])
		}
	}
}

// lift3 makes a handler of a function of three lanes.
func lift3[D, A, B, C any](f func(A, B, C) D) handler {
	return func(w *warp, in *inst) {
		d, a, b, c := reg[D](w, in.d), reg[A](w, in.a), reg[B](w, in.b), reg[C](w, in.c)
		for m := w.exec; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m)
			d[l] = f(a[l], b[l], c[l])
		}
	}
}

// bySize picks a handler by the size of a type in bytes; nil for other sizes.
func bySize(n int, two, four, eight handler) handler {
	switch n {
	case 2:
		return two
	case 4:
		return four
	case 8:
		return eight
	}
	return nil
}
