package gemm

import (
	"unsafe"

	"artel/dtype"
)

// half is what a variant needs to multiply bfloat16 operands natively. Packed operands hold pairs that are neighbours along k in one
// word, so tiles, panels and kernels are those of float32 with half the depth.
type half struct {
	run func(t *tile, mr, nr int)

	// row rounds a contiguous run.
	row func(dst, src []float32)
	// rows rounds k rows of n columns in pairs, as Variant.copyRows copies.
	rows func(dst, src []float32, stride, k, n, step int, index []int32, pad bool)
	// tiles rounds in pairs, as Variant.copyTiles copies.
	tiles func(dst, src []float32, stride, k, far int, index []int32)
	// transpose packs n <= Panel columns that are contiguous along k, as Variant.transpose does.
	transpose func(dst, src []float32, stride, k, n int)

	// interRows and interTiles are rows and tiles for numbers that are bfloat16 already.
	interRows  func(dst []float32, src []uint16, stride, k, n, step int, index []int32, pad bool)
	interTiles func(dst []float32, src []uint16, stride, k, far int, index []int32)
}

// native tells whether p is computed on pairs of bfloat16 numbers; otherwise rounded operands are multiplied as float32.
func (v *Variant) native(p *Product) bool { return p.BF16 && v.half != nil }

// RoundsNatively tells whether bfloat16 products use instructions made for them.
func (v *Variant) RoundsNatively() bool { return v.half != nil }

// roundAll rounds numbers to bfloat16 in place.
func roundAll(x []float32) {
	for i, v := range x {
		x[i] = dtype.FromBF16(dtype.ToBF16(v))
	}
}

// pair is two numbers, rounded to bfloat16, in the bits of one word.
func pair(lo, hi float32) float32 { return word(dtype.ToBF16(lo), dtype.ToBF16(hi)) }

// word is two bfloat16 numbers in the bits of one word.
func word(lo, hi uint16) float32 {
	w := uint32(lo) | uint32(hi)<<16
	return *(*float32)(unsafe.Pointer(&w))
}

// pairPanel is packPanel for pairs.
func (v *Variant) pairPanel(dst []float32, p *Product, k0, kc, j0, nr int) {
	b := p.B
	switch {
	case kc == 0:
	case b.H != nil:
		v.storedPanel(dst, p, k0, kc, j0, nr)
	case b.CS == 1 && p.BK != nil:
		v.half.rows(dst, b.P[j0:], b.RS, kc, nr, Panel, p.BK[k0:k0+kc], true)
	case b.CS == 1:
		v.half.rows(dst, b.P[k0*b.RS+j0:], b.RS, kc, nr, Panel, nil, true)
	case b.RS == 1 && p.BK == nil:
		v.half.transpose(dst, b.P[k0+j0*b.CS:], b.CS, kc, nr)
	default:
		for k := 0; k < kc; k += 2 {
			row := dst[k/2*Panel : k/2*Panel+Panel]
			for j := 0; j < nr; j++ {
				row[j] = pair(p.elementB(k0+k, j0+j, k0+kc), p.elementB(k0+k+1, j0+j, k0+kc))
			}
			clear(row[nr:])
		}
	}
}

// pairBlock is packBlock for pairs.
func (v *Variant) pairBlock(s *Scratch, p *Product, k0, kc, lo, hi int) {
	dst, a, kp := s.block[:], p.A, (kc+1)/2
	if kc == 0 {
		return
	}
	if a.H != nil {
		v.storedBlock(s, p, k0, kc, lo, hi)
		return
	}
	if a.CS == 1 && p.AK == nil {
		for i := lo; i < hi; i++ {
			if v.fetch != nil && i+4 < hi {
				v.fetch(a.P[at(p.AI, i+4)*a.RS+k0:], 0, 1, kc)
			}
			row := a.P[at(p.AI, i)*a.RS+k0:]
			v.half.row(dst[(i-lo)*kp:(i-lo+1)*kp], row[:kc])
		}
		return
	}
	var index []int32
	if p.AK != nil {
		index = p.AK[k0 : k0+kc]
	}
	for i := lo; i < hi; {
		to := dst[(i-lo)*kp:]
		if a.RS == 1 && p.AI == nil && hi-i >= 5*v.mr {
			from := i
			if index == nil {
				from += k0 * a.CS
			}
			v.half.tiles(to, a.P[from:], a.CS, kc, v.mr*kp, index)
			i += 4 * v.mr
			continue
		}
		h := v.height(hi - i)
		switch {
		case a.RS == 1 && p.AI == nil && index != nil:
			v.half.rows(to, a.P[i:], a.CS, kc, h, h, index, false)
		case a.RS == 1 && p.AI == nil:
			v.half.rows(to, a.P[i+k0*a.CS:], a.CS, kc, h, h, nil, false)
		default:
			for k := 0; k < kc; k += 2 {
				for r := 0; r < h; r++ {
					to[k/2*h+r] = pair(p.elementA(i+r, k0+k, k0+kc), p.elementA(i+r, k0+k+1, k0+kc))
				}
			}
		}
		i += h
	}
}

// elementA is A[i,k], 0 from k = end on.
func (p *Product) elementA(i, k, end int) float32 {
	if k >= end {
		return 0
	}
	return p.A.P[at(p.AI, i)*p.A.RS+at(p.AK, k)*p.A.CS]
}

// elementB is B[k,j], 0 from k = end on.
func (p *Product) elementB(k, j, end int) float32 {
	if k >= end {
		return 0
	}
	return p.B.P[at(p.BK, k)*p.B.RS+j*p.B.CS]
}
