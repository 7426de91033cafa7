package gemm

import "unsafe"

// Mat is a float32 matrix with any strides, in elements.
type Mat struct {
	P      []float32
	RS, CS int
}

// T is the transpose.
func (m Mat) T() Mat { return Mat{m.P, m.CS, m.RS} }

// blockK is the depth of a packed panel: 256 rows of 128 bytes stay in the first-level cache beside a tile of A. Sums over k are cut here,
// whatever the shape of a work item, so results do not depend on it.
const blockK = 256

// MaxRows is the height of the largest block: with blockK columns it takes a part of the second-level cache, and beside so many rows packing
// a panel costs little.
const MaxRows = 360

// Scratch is one worker's memory: the packed panel, the packed block of A and the arguments of the micro-kernel.
type Scratch struct {
	panel [4 * blockK * Panel]float32
	block [blockK * MaxRows]float32
	tile  tile
}

// Buffer lends the memory of the panel between products.
func (s *Scratch) Buffer() []float32 { return s.panel[:] }

// Product is C[m,n] = A[m,k]*B[k,n] (+ C when Acc) (+ Bias). C has column stride 1 and row stride LDC. Indices gather while packing, without
// a copy of the whole operand.
type Product struct {
	M, N, K int
	A, B    Mat
	AI      []int32 // row i of A is row AI[i] of the matrix; nil: row i
	AK, BK  []int32 // column k of A, row k of B, likewise
	C       []float32
	LDC     int
	Acc     bool
	Bias    []float32 // [n] or nil
	BF16    bool      // elements of A and B are rounded to bfloat16 first
	Stream  bool      // C is part of something larger than the caches: write past them where possible
}

// T is the product of the transposes, C' = B'A', which needs a C that is contiguous along its rows instead. Not for products with AI or Bias.
func (p Product) T() Product {
	p.M, p.N, p.A, p.B, p.AK, p.BK = p.N, p.M, p.B.T(), p.A.T(), p.BK, p.AK
	return p
}

// Panels returns the number of panels of n columns.
func Panels(n int) int { return (n + Panel - 1) / Panel }

// Run computes rows [lo,hi), at most MaxRows, of panels [p0,p1) of p.
func (v *Variant) Run(p *Product, lo, hi, p0, p1 int, s *Scratch) {
	if hi <= lo {
		return
	}
	direct := v.readsDirect(p, hi-lo)
	deep := blockK
	if v.native(p) {
		deep = 2 * blockK
	}
	staged := p.BF16 || p.AI != nil || p.AK != nil || p1-p0 > 1 && slow(p.A)
	for k0 := 0; k0 < p.K || k0 == 0; k0 += deep {
		kc := min(deep, p.K-k0)
		if staged && kc > 0 {
			v.block(s, p, k0, kc, lo, hi)
		}
		if v.isShort(p, kc, p1-p0, direct) {
			v.short(p, lo, hi, p0, p1, staged, s)
			return
		}
		for panel := p0; panel < p1; panel++ {
			j0 := panel * Panel
			nr := min(Panel, p.N-j0)
			if direct && nr == Panel {
				s.tile.b, s.tile.bs = unsafe.Pointer(&p.B.P[k0*p.B.RS+j0]), 4*p.B.RS
			} else {
				v.panel(s.panel[:], p, k0, kc, j0, nr)
				s.tile.b, s.tile.bs = unsafe.Pointer(&s.panel), 4*Panel
			}
			s.tile.begin(p, k0, v.words(p, kc), j0, hi-lo)
			next := -1
			if panel+1 < p1 && !direct {
				next = j0 + Panel
			}
			v.column(p, k0, kc, j0, nr, lo, hi, staged, next, s)
		}
	}
}

// words is the depth of a packed operand in words of four bytes.
func (v *Variant) words(p *Product, kc int) int {
	if v.native(p) {
		return (kc + 1) / 2
	}
	return kc
}

// kernel runs the micro-kernel.
func (v *Variant) kernel(p *Product, t *tile, mr, nr int) {
	if v.native(p) {
		v.half.run(t, mr, nr)
		return
	}
	v.run(t, mr, nr)
}

// begin sets what the tiles of a panel have in common, except B.
func (t *tile) begin(p *Product, k0, words, j0, rows int) {
	t.ldc, t.k, t.acc, t.far, t.bias = 4*p.LDC, words, 0, 0, nil
	if p.Acc || k0 > 0 {
		t.acc = 1
	}
	if rows > directRows {
		t.far = 1
	}
	if p.Stream && p.K >= streamK && p.K <= blockK && !p.Acc && p.N-j0 >= Panel && p.lines(0, j0) {
		t.far = 2
	}
	if p.Bias != nil && k0 == 0 {
		t.bias = unsafe.Pointer(&p.Bias[j0])
	}
}

// streamK is the least depth of products that write past the caches. Less work per line of C cannot hide that the lines leave in small pieces.
const streamK = 48

// shortK is the depth up to which writing C takes longer than the arithmetic.
const shortK = 47

func (v *Variant) isShort(p *Product, kc, panels int, direct bool) bool {
	return p.K <= shortK && p.K > 0 && panels > 1 && !direct && (kc+31)&^31*panels*Panel <= len(Scratch{}.panel)
}

// short computes a block of small depth row by row, so that C is written in long runs: all panels are packed first.
func (v *Variant) short(p *Product, lo, hi, p0, p1 int, staged bool, s *Scratch) {
	size := v.words(p, p.K) * Panel
	for panel := p0; panel < p1; panel++ {
		v.panel(s.panel[(panel-p0)*size:(panel-p0+1)*size], p, 0, p.K, panel*Panel, min(Panel, p.N-panel*Panel))
	}
	t := &s.tile
	for i := lo; i < hi; {
		h := v.height(hi - i)
		for panel := p0; panel < p1; panel++ {
			j0 := panel * Panel
			t.begin(p, 0, v.words(p, p.K), j0, hi-lo)
			t.b, t.bs = unsafe.Pointer(&s.panel[(panel-p0)*size]), 4*Panel
			v.place(p, 0, lo, i, h, staged, s)
			t.c = unsafe.Pointer(&p.C[i*p.LDC+j0])
			v.kernel(p, t, h, min(Panel, p.N-j0))
		}
		i += h
	}
}

// lines tells whether the rows of C from (i,j) on begin at a cache line.
func (p *Product) lines(i, j int) bool {
	return p.LDC%16 == 0 && uintptr(unsafe.Pointer(&p.C[i*p.LDC+j]))%64 == 0
}

// directRows is the most rows of a product that reads B where it lies: with so few uses packing does not pay.
const directRows = 48

func (v *Variant) readsDirect(p *Product, rows int) bool {
	return !p.BF16 && rows <= directRows && p.B.CS == 1 && p.BK == nil && p.K > 0
}

// slow tells whether tiles of A are slow to read in place more than once: spread over pages, or all rows in the same cache sets.
func slow(a Mat) bool { return a.CS != 1 || a.RS%512 == 0 }

// column runs the tiles of rows [lo,hi) down one panel, and meanwhile asks for the panel at column next, if there is one.
func (v *Variant) column(p *Product, k0, kc, j0, nr, lo, hi int, staged bool, next int, s *Scratch) {
	t := &s.tile
	part, parts := 0, (hi-lo+v.mr-1)/v.mr
	for i := lo; i < hi; {
		if next >= 0 && part < parts {
			v.fetchPanel(p, k0, kc, next, part, parts)
			part++
		}
		h := v.height(hi - i)
		v.place(p, k0, lo, i, h, staged, s)
		t.c = unsafe.Pointer(&p.C[i*p.LDC+j0])
		v.kernel(p, t, h, nr)
		i += h
	}
}

// place points the tile of h rows from i on to its part of A.
func (v *Variant) place(p *Product, k0, lo, i, h int, staged bool, s *Scratch) {
	t := &s.tile
	switch {
	case !staged:
		t.rs, t.cs = 4*p.A.RS, 4*p.A.CS
		if t.k > 0 {
			t.a = unsafe.Pointer(&p.A.P[i*p.A.RS+k0*p.A.CS])
		}
	case p.A.CS == 1 && p.AK == nil:
		t.a, t.rs, t.cs = unsafe.Pointer(&s.block[(i-lo)*t.k]), 4*t.k, 4
	default:
		t.a, t.rs, t.cs = unsafe.Pointer(&s.block[(i-lo)*t.k]), 4, 4*h
	}
}

// height picks the rows of the next tile: the most, but two even tiles rather than a full and a thin one at the end.
func (v *Variant) height(left int) int {
	if left > v.mr && left < 2*v.mr {
		return (left + 1) / 2
	}
	return min(left, v.mr)
}
