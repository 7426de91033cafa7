package gemm

import (
	"unsafe"

	"artel/dtype"
)

// From is m without what lies before the n-th element of its memory.
func (m Mat) From(n int) Mat {
	if m.H != nil {
		m.H = m.H[n:]
	} else {
		m.P = m.P[n:]
	}
	return m
}

// halfA is A[i,k], 0 from k = end on.
func (p *Product) halfA(i, k, end int) uint16 {
	if k >= end {
		return 0
	}
	return p.A.H[at(p.AI, i)*p.A.RS+at(p.AK, k)*p.A.CS]
}

// halfB is B[k,j], 0 from k = end on.
func (p *Product) halfB(k, j, end int) uint16 {
	if k >= end {
		return 0
	}
	return p.B.H[at(p.BK, k)*p.B.RS+j*p.B.CS]
}

// storedPanel is pairPanel for a B that lies in memory as bfloat16.
func (v *Variant) storedPanel(dst []float32, p *Product, k0, kc, j0, nr int) {
	b := p.B
	switch {
	case b.CS == 1 && p.BK != nil:
		v.half.interRows(dst, b.H[j0:], b.RS, kc, nr, Panel, p.BK[k0:k0+kc], true)
		return
	case b.CS == 1:
		v.half.interRows(dst, b.H[k0*b.RS+j0:], b.RS, kc, nr, Panel, nil, true)
		return
	}
	k := 0
	if b.RS == 1 && p.BK == nil && (b.CS%2 == 0 || nr == 1) && kc > 1 { // pairs are words already
		k = kc &^ 1
		v.transpose(dst, asWords(b.H[k0+j0*b.CS:]), b.CS/2, k/2, nr)
	}
	for ; k < kc; k += 2 {
		row := dst[k/2*Panel : k/2*Panel+Panel]
		for j := range nr {
			row[j] = word(p.halfB(k0+k, j0+j, k0+kc), p.halfB(k0+k+1, j0+j, k0+kc))
		}
		clear(row[nr:])
	}
}

// asWords views pairs of bfloat16 numbers as words.
func asWords(h []uint16) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(&h[0])), len(h)/2)
}

// storedBlock is pairBlock for an A that lies in memory as bfloat16.
func (v *Variant) storedBlock(s *Scratch, p *Product, k0, kc, lo, hi int) {
	dst, a, kp := s.block[:], p.A, (kc+1)/2
	if a.CS == 1 && p.AK == nil {
		for i := lo; i < hi; i++ {
			row := unsafe.Slice((*uint16)(unsafe.Pointer(&dst[(i-lo)*kp])), 2*kp)
			row[2*kp-1] = 0
			copy(row, a.H[at(p.AI, i)*a.RS+k0:][:kc])
		}
		return
	}
	var index []int32
	if p.AK != nil {
		index = p.AK[k0 : k0+kc]
	}
	for i := lo; i < hi; {
		h, to := v.height(hi-i), dst[(i-lo)*kp:]
		if a.RS != 1 || p.AI != nil {
			for k := range kp {
				for r := range h {
					to[k*h+r] = word(p.halfA(i+r, k0+2*k, k0+kc), p.halfA(i+r, k0+2*k+1, k0+kc))
				}
			}
			i += h
			continue
		}
		from := i
		if index == nil {
			from += k0 * a.CS
		}
		if hi-i >= 5*v.mr {
			v.half.interTiles(to, a.H[from:], a.CS, kc, v.mr*kp, index)
			i += 4 * v.mr
			continue
		}
		v.half.interRows(to, a.H[from:], a.CS, kc, h, h, index, false)
		i += h
	}
}

// inPlace tells whether tiles of an A in bfloat16, which has its rows and columns in order, are read where they are.
func (v *Variant) inPlace(p *Product) bool {
	return p.A.H != nil && v.half != nil && p.A.CS == 1 && p.K%2 == 0
}

// widePanel is packPanel for a B that lies in memory as bfloat16.
func widePanel(dst []float32, p *Product, k0, kc, j0, nr int) {
	b := p.B
	for k := range kc {
		row := dst[k*Panel : k*Panel+Panel]
		from := at(p.BK, k0+k)*b.RS + j0*b.CS
		for j := range nr {
			row[j] = dtype.FromBF16(b.H[from+j*b.CS])
		}
		clear(row[nr:])
	}
}

// wideBlock is packBlock for an A that lies in memory as bfloat16.
func (v *Variant) wideBlock(s *Scratch, p *Product, k0, kc, lo, hi int) {
	dst, a := s.block[:], p.A
	if a.CS == 1 && p.AK == nil {
		for i := lo; i < hi; i++ {
			row := dst[(i-lo)*kc : (i-lo+1)*kc]
			for k, h := range a.H[at(p.AI, i)*a.RS+k0:][:kc] {
				row[k] = dtype.FromBF16(h)
			}
		}
		return
	}
	for i := lo; i < hi; {
		h, to := v.height(hi-i), dst[(i-lo)*kc:]
		for k := range kc {
			for r := range h {
				to[k*h+r] = dtype.FromBF16(a.H[at(p.AI, i+r)*a.RS+at(p.AK, k0+k)*a.CS])
			}
		}
		i += h
	}
}

// fetchStored is fetchPanel for a B that lies in memory as bfloat16.
func (v *Variant) fetchStored(p *Product, k0, kc, j0, i, parts int) {
	b, nr := p.B, min(Panel, p.N-j0)
	of, along, across, stride := kc, k0*b.RS+j0, nr, b.RS
	if b.CS != 1 {
		of, along, across, stride = nr, k0+j0*b.CS, kc, b.CS
	}
	lo, hi := i*of/parts, (i+1)*of/parts
	if hi > lo && stride%2 == 0 {
		if h := b.H[along+lo*stride:]; len(h) > 1 {
			v.fetch(asWords(h), stride/2, hi-lo, (across+1)/2)
		}
	}
}
