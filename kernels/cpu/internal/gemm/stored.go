package gemm

import "artel/dtype"

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

// halfBlock is pairBlock for an A that lies in memory as bfloat16.
func (v *Variant) halfBlock(s *Scratch, p *Product, k0, kc, lo, hi int) {
	dst, kp := s.block[:], (kc+1)/2
	if p.A.CS == 1 && p.AK == nil {
		for i := lo; i < hi; i++ {
			for k := range kp {
				dst[(i-lo)*kp+k] = word(p.halfA(i, k0+2*k, k0+kc), p.halfA(i, k0+2*k+1, k0+kc))
			}
		}
		return
	}
	for i := lo; i < hi; {
		h, to := v.height(hi-i), dst[(i-lo)*kp:]
		for k := range kp {
			for r := range h {
				to[k*h+r] = word(p.halfA(i+r, k0+2*k, k0+kc), p.halfA(i+r, k0+2*k+1, k0+kc))
			}
		}
		i += h
	}
}

// widePanel is packPanel for a B that lies in memory as bfloat16.
func widePanel(dst []float32, p *Product, k0, kc, j0, nr int) {
	for k := range kc {
		row := dst[k*Panel : k*Panel+Panel]
		for j := range nr {
			row[j] = dtype.FromBF16(p.halfB(k0+k, j0+j, p.K))
		}
		clear(row[nr:])
	}
}

// wideBlock is packBlock for an A that lies in memory as bfloat16.
func (v *Variant) wideBlock(s *Scratch, p *Product, k0, kc, lo, hi int) {
	dst := s.block[:]
	if p.A.CS == 1 && p.AK == nil {
		for i := lo; i < hi; i++ {
			for k := range kc {
				dst[(i-lo)*kc+k] = dtype.FromBF16(p.halfA(i, k0+k, p.K))
			}
		}
		return
	}
	for i := lo; i < hi; {
		h, to := v.height(hi-i), dst[(i-lo)*kc:]
		for k := range kc {
			for r := range h {
				to[k*h+r] = dtype.FromBF16(p.halfA(i+r, k0+k, p.K))
			}
		}
		i += h
	}
}
