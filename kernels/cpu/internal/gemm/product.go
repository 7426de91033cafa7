package gemm

import "unsafe"

// Mat is a float32 matrix with any strides, in elements.
type Mat struct {
	P      []float32
	RS, CS int
	H      []uint16 // bfloat16 elements instead of P
}

// T is the transpose.
func (m Mat) T() Mat { return Mat{P: m.P, RS: m.CS, CS: m.RS, H: m.H} }

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
	out   []float32 // a block of C that nobody keeps
}

// Buffer lends the memory of the panel between products.
func (s *Scratch) Buffer() []float32 { return s.panel[:] }

// Forget lets go of the operands of the last product.
func (s *Scratch) Forget() { s.tile = tile{} }

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
	Add     []float32 // [m,n], rows LDAdd apart, added to the result; nil: none. Not with Acc
	LDAdd   int
	ReLU    bool // of the result, without Add and Acc; see AppliesReLU
	BF16    bool // elements of A and B are rounded to bfloat16 first
	// Pair, when not 0, computes panel j + Pair next to each panel j < Panels(N)-Pair; Run counts the latter.
	Pair int
	// After, when set, is called for every few columns [j0,j1) of rows [lo,hi), of which C is final: c is C[lo,j0] and what follows it.
	After func(p *Product, c []float32, lo, hi, j0, j1 int)
	// Soon lists up to two matrices of the shape of C, with rows SoonRS apart, whose elements After will touch: they are asked for while C is computed.
	Soon   [2][]float32
	SoonRS [2]int
	SoonBy uint  // log2 of the columns in an element of Soon
	Tag    int   // for After: which product of a list this is
	Loose  bool  // After does not mind in which order it meets the columns of a row, nor from which worker
	Temp   bool  // C is memory of the worker, [rows of a block, columns], and only After sees it
	Cold   bool  // B comes from memory: few rows do not hide that
	Kept   *Kept // B in the form that micro-kernels read, from Variant.NewKept, or nil
	Stream bool  // C is part of something larger than the caches: write past them where possible
}

// T is the product of the transposes, C' = B'A', which needs a C that is contiguous along its rows instead. Not for products with AI or Bias.
func (p Product) T() Product {
	p.M, p.N, p.A, p.B, p.AK, p.BK = p.N, p.M, p.B.T(), p.A.T(), p.BK, p.AK
	return p
}

// Panels returns the number of panels of n columns.
func Panels(n int) int { return (n + Panel - 1) / Panel }

// Across returns the number of panels, or of pairs of panels, that Run cuts p into.
func (p *Product) Across() int { return Panels(p.N) - p.Pair }

// Run computes rows [lo,hi), at most MaxRows, of panels [p0,p1) of p. With After and without Loose, one call covers all panels, so that After meets the columns
// of a row in order.
func (v *Variant) Run(p *Product, lo, hi, p0, p1 int, s *Scratch) {
	if hi <= lo {
		return
	}
	b := block{p: p, lo: lo, hi: hi, p0: p0, p1: p1, c: p.C, ldc: p.LDC, s: s, direct: v.readsDirect(p, hi-lo), deep: v.depth(p)}
	if p.Temp {
		b.ring = v.ring(p)
		if b.ldc = (p1 - p0 + p.Pair) * Panel; b.ring {
			b.ldc, _ = v.TempRows(p)
		}
		b.c, b.ci, b.cj = s.output((hi-lo)*b.ldc), lo, p0*Panel
	}
	b.through = v.pack && !b.direct && p.Kept == nil && readable(p)
	b.staged = p.BF16 && !v.inPlace(p) || p.AI != nil || p.AK != nil || p1-p0 > 1 && slow(p.A)
	for k0 := 0; k0 < p.K || k0 == 0; k0 += b.deep {
		kc := min(b.deep, p.K-k0)
		if b.staged && kc > 0 {
			v.block(s, p, k0, kc, lo, hi)
		}
		if p.Cold && hi-lo <= coldRows && (p.Kept == nil || !p.Kept.filled(k0, p0)) { // kept panels follow each other in memory
			v.touchB(&b, k0, kc)
		}
		if v.isShort(&b, kc) {
			v.short(&b)
			return
		}
		for panel := p0; panel < p1; panel++ {
			if v.isWide(&b, panel) {
				v.wideRows(&b, k0, kc, panel)
				panel += widePanels - 1
				continue
			}
			v.onePanel(&b, k0, kc, panel)
			if p.Pair > 0 {
				v.onePanel(&b, k0, kc, panel+p.Pair)
			}
			if done := panel + 1 - p0; p.After != nil && k0+b.deep >= p.K && (done%afterPanels == 0 || panel+1 == p1) {
				first := p0 + (done-1)/afterPanels*afterPanels
				p.After(p, b.c[b.at(lo, first*Panel):], lo, hi, first*Panel, min((panel+1)*Panel, p.N))
			}
		}
	}
}

// afterPanels is the number of panels between calls of After: few enough to find their columns in the caches, and not too short runs.
const afterPanels = 4

// block is a work item under way.
type block struct {
	p              *Product
	lo, hi, p0, p1 int
	c              []float32 // where C[ci,cj] is the first element
	ldc, ci, cj    int
	direct, staged bool // B is read where it lies; A is packed
	through        bool // the first tile of a panel packs it
	ring           bool // c holds the columns of one call of After
	deep           int  // of a pass over k
	s              *Scratch
}

// at is the position of C[i,j].
func (b *block) at(i, j int) int {
	if !b.ring {
		return (i-b.ci)*b.ldc + j - b.cj
	}
	panel := j/Panel - b.p0
	if p := b.p; p.Pair > 0 && panel >= p.Pair {
		panel = afterPanels + (panel-p.Pair)%afterPanels
	} else {
		panel %= afterPanels
	}
	return (i-b.ci)*b.ldc + panel*Panel
}

// ring tells whether memory of a worker needs to hold only the columns of one call of After: they are final after one pass over k.
func (v *Variant) ring(p *Product) bool { return p.Temp && p.After != nil && p.K <= v.depth(p) }

// depth is that of a pass over k.
func (v *Variant) depth(p *Product) int {
	if v.native(p) {
		return 2 * blockK
	}
	return blockK
}

// TempRows tells After where the rows of memory of a worker are, when it covers all columns: how far apart, and how far the columns of a panel's pair are.
func (v *Variant) TempRows(p *Product) (ld, pair int) {
	switch {
	case !v.ring(p):
		return Panels(p.N) * Panel, p.Pair * Panel
	case p.Pair > 0:
		return 2 * afterPanels * Panel, afterPanels * Panel
	}
	return afterPanels * Panel, 0
}

// output returns n elements of memory of the worker.
func (s *Scratch) output(n int) []float32 {
	if cap(s.out) < n {
		s.out = make([]float32, n)
	}
	return s.out[:n]
}

// onePanel computes all rows of a block in one panel.
func (v *Variant) onePanel(b *block, k0, kc, panel int) {
	p, s := b.p, b.s
	j0 := panel * Panel
	nr := min(Panel, p.N-j0)
	direct := b.direct && nr == Panel
	var kept []float32
	filled := false
	if !direct && kc > 0 {
		kept, filled = v.claim(p, k0, panel)
	}
	through := b.through && nr == Panel
	packed := kept
	if packed == nil {
		packed = s.panel[:]
	}
	if direct || through {
		s.tile.b, s.tile.bs = unsafe.Pointer(&p.B.P[k0*p.B.RS+j0]), 4*p.B.RS
	} else {
		if !filled {
			v.panel(packed, p, k0, kc, j0, nr)
		}
		if !filled && kept != nil {
			p.Kept.finish(k0, panel)
		}
		s.tile.b, s.tile.bs = unsafe.Pointer(&packed[0]), 4*Panel
	}
	v.begin(b, k0, kc, j0)
	if through {
		s.tile.pack = unsafe.Pointer(&packed[0])
	}
	next := -1
	switch {
	case b.direct:
	case p.Pair > 0 && panel < p.Pair:
		next = j0 + p.Pair*Panel
	case panel-p.Pair+1 < b.p1:
		next = j0 + (1-p.Pair)*Panel
	}
	v.column(b, k0, kc, j0, nr, next)
}

// widePanels is the number of panels of Variant.wide.
const widePanels = 8

// isWide tells whether the panels from panel on can be computed at once.
func (v *Variant) isWide(b *block, panel int) bool {
	p := b.p
	if b.hi-b.lo == 2 && b.staged && (p.A.CS != 1 || p.AK != nil) { // the two rows are packed as one tile
		return false
	}
	return v.wide != nil && b.hi-b.lo <= 2 && b.direct && p.After == nil && panel+widePanels <= b.p1 && (panel+widePanels)*Panel <= p.N
}

// wideRows computes the rows of a block in widePanels panels.
func (v *Variant) wideRows(b *block, k0, kc, panel int) {
	t, p, j0 := &b.s.tile, b.p, panel*Panel
	t.b, t.bs = unsafe.Pointer(&p.B.P[k0*p.B.RS+j0]), 4*p.B.RS
	v.begin(b, k0, kc, j0)
	for i := b.lo; i < b.hi; i++ {
		v.place(b, k0, i, 1)
		b.target(k0, i, j0)
		v.wide(t)
	}
}

// target points the tile to its part of C, from row i and column j on, and to what is added to it.
func (b *block) target(k0, i, j int) {
	t, p := &b.s.tile, b.p
	t.c = unsafe.Pointer(&b.c[b.at(i, j)])
	switch {
	case p.Acc || k0 > 0:
		t.add, t.ldadd = t.c, t.ldc
	case p.Add != nil:
		t.add, t.ldadd = unsafe.Pointer(&p.Add[i*p.LDAdd+j]), 4*p.LDAdd
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
func (v *Variant) begin(b *block, k0, kc, j0 int) {
	t, p := &b.s.tile, b.p
	t.ldc, t.k, t.far, t.bias = 4*b.ldc, v.words(p, kc), 0, nil
	t.add, t.relu, t.pack = nil, 0, nil
	if p.ReLU && k0+b.deep >= p.K {
		t.relu = 1
	}
	if b.hi-b.lo > directRows {
		t.far = 1
	}
	if p.Stream && p.K > v.shortest(p) && p.K <= b.deep && !p.Acc && p.Add == nil && p.N-j0 >= Panel && b.lines(j0) {
		t.far = 2
	}
	if p.Bias != nil && k0 == 0 {
		t.bias = unsafe.Pointer(&p.Bias[j0])
	}
}

// shortK is the depth up to which writing C takes longer than the arithmetic. Above it products may write past the caches; below, there is
// too little work per line of C to hide that lines leave in small pieces.
const shortK = 47

// shortest is the depth up to which p is short: twice as much with arithmetic at twice the speed.
func (v *Variant) shortest(p *Product) int {
	if v.native(p) {
		return 2*shortK + 1
	}
	return shortK
}

func (v *Variant) isShort(b *block, kc int) bool {
	p, panels := b.p, b.p1-b.p0
	return p.K <= v.shortest(p) && p.K > 0 && panels > 1 && !b.direct && p.After == nil && packedRows(v.words(p, kc))*panels*Panel <= len(Scratch{}.panel)
}

// short computes a block of small depth row by row, so that C is written in long runs: all panels are packed first.
func (v *Variant) short(b *block) {
	p, s := b.p, b.s
	size := v.words(p, p.K) * Panel
	for panel := b.p0; panel < b.p1; panel++ {
		v.panel(s.panel[(panel-b.p0)*size:], p, 0, p.K, panel*Panel, min(Panel, p.N-panel*Panel))
	}
	t := &s.tile
	for i := b.lo; i < b.hi; {
		h := v.height(b.hi - i)
		for panel := b.p0; panel < b.p1; panel++ {
			j0 := panel * Panel
			v.begin(b, 0, p.K, j0)
			t.b, t.bs = unsafe.Pointer(&s.panel[(panel-b.p0)*size]), 4*Panel
			v.place(b, 0, i, h)
			b.target(0, i, j0)
			v.kernel(p, t, h, min(Panel, p.N-j0))
		}
		i += h
	}
}

// coldRows is the most rows of a block that reads a cold B once before it is used.
const coldRows = 48

// touchB reads the block's part of B in the order of memory, which is several times as fast as that of panels: processors fetch ahead along lines
// only. It then waits in the second-level cache, unless it is too large for that.
func (v *Variant) touchB(b *block, k0, kc int) {
	p, m := b.p, b.p.B
	n := min((b.p1-b.p0+p.Pair)*Panel, p.N-b.p0*Panel)
	if v.touch == nil || m.P == nil || p.BK != nil || n*kc > 128<<10 {
		return
	}
	switch j0 := b.p0 * Panel; {
	case m.CS == 1:
		v.touch(m.P[k0*m.RS+j0:], m.RS, kc, n)
	case m.RS == 1:
		v.touch(m.P[k0+j0*m.CS:], m.CS, n, kc)
	}
}

// lines tells whether the rows of C begin at a cache line in column j.
func (b *block) lines(j int) bool {
	return b.ldc%16 == 0 && uintptr(unsafe.Pointer(&b.c[b.at(b.lo, j)]))%64 == 0
}

// directRows is the most rows of a product that reads B where it lies: with so few uses packing does not pay.
const directRows = 48

func (v *Variant) readsDirect(p *Product, rows int) bool {
	return rows <= directRows && readable(p)
}

// readable tells whether tiles can read rows of B where they lie.
func readable(p *Product) bool { return !p.BF16 && p.B.CS == 1 && p.BK == nil && p.K > 0 }

// slow tells whether tiles of A are slow to read in place more than once: spread over pages, or all rows in the same cache sets.
func slow(a Mat) bool { return a.CS != 1 || a.RS%1024 == 0 }

// column runs the tiles of a block down one panel, and meanwhile asks for the panel at column next, if there is one.
func (v *Variant) column(b *block, k0, kc, j0, nr, next int) {
	t, p := &b.s.tile, b.p
	part, parts := 0, (b.hi-b.lo+v.mr-1)/v.mr
	for i := b.lo; i < b.hi; {
		if next >= 0 && part < parts {
			v.fetchPanel(p, k0, kc, next, part, parts)
			part++
		}
		h := v.height(b.hi - i)
		if p.After != nil && v.fetch != nil && k0+b.deep >= p.K {
			v.fetchSoon(p, i, h, j0, nr)
		}
		v.place(b, k0, i, h)
		b.target(k0, i, j0)
		v.kernel(p, t, h, nr)
		if t.pack != nil {
			t.b, t.bs, t.pack = t.pack, 4*Panel, nil
		}
		i += h
	}
}

// fetchSoon asks for what After will touch of a tile's rows and columns.
func (v *Variant) fetchSoon(p *Product, i, h, j0, nr int) {
	for n, m := range &p.Soon {
		if m == nil {
			return
		}
		v.fetch(m[i*p.SoonRS[n]+j0>>p.SoonBy:], p.SoonRS[n], h, (nr-1)>>p.SoonBy+1)
	}
}

// place points the tile of h rows from i on to its part of A.
func (v *Variant) place(b *block, k0, i, h int) {
	t, p, s := &b.s.tile, b.p, b.s
	switch {
	case !b.staged && p.A.H != nil:
		t.rs, t.cs = 2*p.A.RS, 4
		if t.k > 0 {
			t.a = unsafe.Pointer(&p.A.H[i*p.A.RS+k0])
		}
	case !b.staged:
		t.rs, t.cs = 4*p.A.RS, 4*p.A.CS
		if t.k > 0 {
			t.a = unsafe.Pointer(&p.A.P[i*p.A.RS+k0*p.A.CS])
		}
	case p.A.CS == 1 && p.AK == nil:
		t.a, t.rs, t.cs = unsafe.Pointer(&s.block[(i-b.lo)*t.k]), 4*t.k, 4
	default:
		t.a, t.rs, t.cs = unsafe.Pointer(&s.block[(i-b.lo)*t.k]), 4, 4*h
	}
}

// height picks the rows of the next tile: the most, but two even tiles rather than a full and a thin one at the end.
func (v *Variant) height(left int) int {
	if left > v.mr && left < 2*v.mr {
		return (left + 1) / 2
	}
	return min(left, v.mr)
}
