package gemm

// copyRows is Variant.copyRows in plain Go.
func copyRows(dst, src []float32, stride, k, n, step int, index []int32, pad bool) {
	for i := 0; i < k; i++ {
		from := i
		if index != nil {
			from = int(index[i])
		}
		row, to := src[from*stride:from*stride+n], dst[i*step:]
		if n == Panel {
			*(*[Panel]float32)(to) = *(*[Panel]float32)(row)
			continue
		}
		copy(to, row)
		if pad {
			clear(to[n:Panel])
		}
	}
}

// transposePanel is Variant.transpose in plain Go.
func transposePanel(dst, src []float32, stride, k, n int) {
	for j := 0; j < n; j++ {
		for i, x := range src[j*stride : j*stride+k] {
			dst[i*Panel+j] = x
		}
	}
	if n < Panel {
		for i := 0; i < k; i++ {
			clear(dst[i*Panel+n : (i+1)*Panel])
		}
	}
}

// packedRows is the room, in rows, that packing a panel of n rows takes: loops that transpose write whole blocks of 16.
func packedRows(n int) int { return (n + 15) &^ 15 }

// panel packs B[k0:k0+kc, j0:j0+nr] for the micro-kernel.
func (v *Variant) panel(dst []float32, p *Product, k0, kc, j0, nr int) {
	if v.native(p) {
		v.pairPanel(dst, p, k0, kc, j0, nr)
		return
	}
	if p.B.H != nil {
		widePanel(dst, p, k0, kc, j0, nr)
		return
	}
	v.packPanel(dst, p, k0, kc, j0, nr)
	if p.BF16 {
		roundAll(dst[:kc*Panel])
	}
}

// block packs rows [lo,hi) of A, columns [k0,k0+kc).
func (v *Variant) block(s *Scratch, p *Product, k0, kc, lo, hi int) {
	if v.native(p) {
		v.pairBlock(s, p, k0, kc, lo, hi)
		return
	}
	if p.A.H != nil {
		v.wideBlock(s, p, k0, kc, lo, hi)
		return
	}
	v.packBlock(s, p, k0, kc, lo, hi)
	if p.BF16 {
		roundAll(s.block[:kc*(hi-lo)])
	}
}

// packPanel copies B[k0:k0+kc, j0:j0+nr] to dst as [kc][Panel], padded with zeros.
func (v *Variant) packPanel(dst []float32, p *Product, k0, kc, j0, nr int) {
	b := p.B
	switch {
	case kc == 0:
	case b.CS == 1 && p.BK != nil:
		v.copyRows(dst, b.P[j0:], b.RS, kc, nr, Panel, p.BK[k0:k0+kc], true)
	case b.CS == 1:
		v.copyRows(dst, b.P[k0*b.RS+j0:], b.RS, kc, nr, Panel, nil, true)
	case b.RS == 1 && p.BK == nil:
		v.transpose(dst, b.P[k0+j0*b.CS:], b.CS, kc, nr)
	default:
		for k := 0; k < kc; k++ {
			row := dst[k*Panel : k*Panel+Panel]
			for j := 0; j < nr; j++ {
				row[j] = b.P[at(p.BK, k0+k)*b.RS+(j0+j)*b.CS]
			}
			clear(row[nr:])
		}
	}
}

// packBlock copies rows [lo,hi) of A, columns [k0,k0+kc), to s.block: rows of kc when A is contiguous along k, else tiles of [kc][height].
// Either way the tile that starts at row i is at (i-lo)*kc.
func (v *Variant) packBlock(s *Scratch, p *Product, k0, kc, lo, hi int) {
	dst, a := s.block[:], p.A
	if a.CS == 1 && p.AK == nil {
		for i := lo; i < hi; i++ {
			if v.fetch != nil && i+4 < hi {
				v.fetch(a.P[at(p.AI, i+4)*a.RS+k0:], 0, 1, kc)
			}
			row := a.P[at(p.AI, i)*a.RS+k0:]
			copy(dst[(i-lo)*kc:(i-lo+1)*kc], row[:kc])
		}
		return
	}
	var index []int32
	if p.AK != nil {
		index = p.AK[k0 : k0+kc]
	}
	for i := lo; i < hi; {
		h := v.height(hi - i)
		to := dst[(i-lo)*kc:]
		if kc > 0 && a.RS == 1 && p.AI == nil && v.copyTiles != nil && hi-i >= 5*v.mr {
			from := i
			if index == nil {
				from += k0 * a.CS
			}
			v.copyTiles(to, a.P[from:], a.CS, kc, v.mr*kc, index)
			i += 4 * v.mr
			continue
		}
		switch {
		case kc > 0 && a.RS == 1 && p.AI == nil && index != nil:
			v.copyRows(to, a.P[i:], a.CS, kc, h, h, index, false)
		case kc > 0 && a.RS == 1 && p.AI == nil:
			v.copyRows(to, a.P[i+k0*a.CS:], a.CS, kc, h, h, nil, false)
		default:
			for k := 0; k < kc; k++ {
				for r := 0; r < h; r++ {
					to[k*h+r] = a.P[at(p.AI, i+r)*a.RS+at(p.AK, k0+k)*a.CS]
				}
			}
		}
		i += h
	}
}

// at is index[i], or i without an index.
func at(index []int32, i int) int {
	if index == nil {
		return i
	}
	return int(index[i])
}

// fetchPanel asks for part i of parts of the panel at column j0, which will be packed soon.
func (v *Variant) fetchPanel(p *Product, k0, kc, j0, i, parts int) {
	b := p.B
	switch {
	case v.fetch == nil || p.BK != nil:
	case p.Kept != nil && p.Kept.filled(k0, j0/Panel):
		rows := v.words(p, kc)
		if lo, hi := i*rows/parts, (i+1)*rows/parts; hi > lo {
			v.fetch(v.memory(p, k0, j0/Panel)[lo*Panel:], Panel, hi-lo, Panel)
		}
	case b.H != nil:
		v.fetchStored(p, k0, kc, j0, i, parts)
	case b.CS == 1:
		lo, hi := i*kc/parts, (i+1)*kc/parts
		if hi > lo {
			v.fetch(b.P[(k0+lo)*b.RS+j0:], b.RS, hi-lo, min(Panel, p.N-j0))
		}
	case b.RS == 1:
		nr := min(Panel, p.N-j0)
		lo, hi := i*nr/parts, (i+1)*nr/parts
		if hi > lo {
			v.fetch(b.P[k0+(j0+lo)*b.CS:], b.CS, hi-lo, kc)
		}
	}
}
