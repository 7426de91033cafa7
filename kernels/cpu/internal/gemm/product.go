package gemm

import "unsafe"

// Mat is a float32 matrix with any strides, in elements.
type Mat struct {
	P      []float32
	RS, CS int
}

// T is the transpose.
func (m Mat) T() Mat { return Mat{m.P, m.CS, m.RS} }

// blockK is the depth of a packed panel: 256 rows of 128 bytes stay in the first-level cache beside a tile of A.
const blockK = 256

// Scratch is one worker's memory: the packed panel and the arguments of the micro-kernel.
type Scratch struct {
	panel [blockK * Panel]float32
	tile  tile
}

// Buffer lends the memory of the panel between products.
func (s *Scratch) Buffer() []float32 { return s.panel[:] }

// Product is C[m,n] = A[m,k]*B[k,n] (+ C when Acc) (+ Bias). C has column stride 1 and row stride LDC.
type Product struct {
	M, N, K int
	A, B    Mat
	C       []float32
	LDC     int
	Acc     bool
	Bias    []float32 // [n] or nil
}

// Panels returns the number of panels of n columns.
func Panels(n int) int { return (n + Panel - 1) / Panel }

// Run computes rows [lo,hi) of one panel of columns of p.
func (v *Variant) Run(p *Product, panel, lo, hi int, s *Scratch) {
	j0 := panel * Panel
	nr := min(Panel, p.N-j0)
	if hi <= lo || nr <= 0 {
		return
	}
	for k0 := 0; k0 < p.K || k0 == 0; k0 += blockK {
		kc := min(blockK, p.K-k0)
		v.packPanel(s.panel[:], p.B, k0, kc, j0, nr)
		t := &s.tile
		*t = tile{rs: 4 * p.A.RS, cs: 4 * p.A.CS, b: unsafe.Pointer(&s.panel), ldc: 4 * p.LDC, k: kc}
		if p.Acc || k0 > 0 {
			t.acc = 1
		}
		if p.Bias != nil && k0 == 0 {
			t.bias = unsafe.Pointer(&p.Bias[j0])
		}
		v.column(t, p, k0, j0, nr, lo, hi)
	}
}

// column runs the tiles of rows [lo,hi) down one packed panel.
func (v *Variant) column(t *tile, p *Product, k0, j0, nr, lo, hi int) {
	for i := lo; i < hi; {
		mr := rows(hi-i, v.mr)
		if p.K > 0 {
			t.a = unsafe.Pointer(&p.A.P[i*p.A.RS+k0*p.A.CS])
		}
		t.c = unsafe.Pointer(&p.C[i*p.LDC+j0])
		v.run(t, mr, nr)
		i += mr
	}
}

// rows picks the height of the next tile: the largest one, but two even tiles rather than a full and a thin one at the end.
func rows(left, mr int) int {
	if left > mr && left < 2*mr {
		return (left + 1) / 2
	}
	return min(left, mr)
}

// packPanel copies B[k0:k0+kc, j0:j0+nr] to dst as [kc][Panel], padded with zeros.
func (v *Variant) packPanel(dst []float32, b Mat, k0, kc, j0, nr int) {
	if kc == 0 {
		return
	}
	src := b.P[k0*b.RS+j0*b.CS:]
	switch {
	case b.CS == 1:
		for k := 0; k < kc; k++ {
			row := dst[k*Panel : k*Panel+Panel]
			copy(row, src[k*b.RS:k*b.RS+nr])
			clear(row[nr:])
		}
	case b.RS == 1 && v.pack != nil:
		v.pack(dst, src, b.CS, kc, nr)
	default:
		for k := 0; k < kc; k++ {
			row := dst[k*Panel : k*Panel+Panel]
			for j := 0; j < nr; j++ {
				row[j] = src[k*b.RS+j*b.CS]
			}
			clear(row[nr:])
		}
	}
}
