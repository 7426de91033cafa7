package gemm

import "sync/atomic"

// Kept is a right operand in the form that micro-kernels read. The products that need it make it, panel by panel, and later ones use it, until Drop.
type Kept struct {
	panels  []float32
	state   []atomic.Uint64 // by panel and pass over k: full or busy in this version, else stale
	version uint64
	deep    int // of a pass over k
	passes  int
	words   int // of the whole depth
}

// NewKept makes room for B of products like p, whose operands and shape it reads, and whose precision.
func (v *Variant) NewKept(p *Product) *Kept {
	k := &Kept{deep: v.depth(p), words: packedRows(v.words(p, p.K)), version: 1}
	k.passes = max(1, (p.K+k.deep-1)/k.deep)
	k.panels = make([]float32, Panels(p.N)*k.words*Panel)
	k.state = make([]atomic.Uint64, Panels(p.N)*k.passes)
	return k
}

// Drop forgets the content, because the operand changes. Not to be called while products run.
func (k *Kept) Drop() { k.version++ }

func (k *Kept) full() uint64 { return 2 * k.version }

func (k *Kept) busy() uint64 { return 2*k.version + 1 }

// of is the state of a panel in the pass over k that begins at k0.
func (k *Kept) of(k0, panel int) *atomic.Uint64 { return &k.state[panel*k.passes+k0/k.deep] }

func (k *Kept) filled(k0, panel int) bool { return k.of(k0, panel).Load() == k.full() }

// finish says that a claimed panel is filled.
func (k *Kept) finish(k0, panel int) { k.of(k0, panel).Store(k.full()) }

// claim returns the memory of a panel in the pass over k that begins at k0, and whether it is filled; nil when another worker fills it just now. Who is given memory
// that is not filled fills it and calls finish.
func (v *Variant) claim(p *Product, k0, panel int) (to []float32, filled bool) {
	k := p.Kept
	if k == nil {
		return nil, false
	}
	state := k.of(k0, panel)
	was := state.Load()
	if was == k.full() {
		return v.memory(p, k0, panel), true
	}
	if was == k.busy() || !state.CompareAndSwap(was, k.busy()) {
		return nil, false
	}
	return v.memory(p, k0, panel), false
}

// memory is that of a panel in the pass over k that begins at k0.
func (v *Variant) memory(p *Product, k0, panel int) []float32 {
	k := p.Kept
	at := (panel*k.words + v.words(p, k0)) * Panel
	return k.panels[at : at+v.words(p, min(k.deep, p.K-k0))*Panel]
}
