package gemm

import "sync/atomic"

// Kept is a right operand in the form that micro-kernels read. The products that need it make it, panel by panel, and later ones use it, until Drop.
type Kept struct {
	panels  []float32
	state   []atomic.Uint32 // by panel and pass over k: done or busy in this version, else stale
	version uint32
	deep    int // of a pass over k
	words   int // of the whole depth
}

// NewKept makes room for B of products like p, whose operands and shape it reads, and whose precision.
func (v *Variant) NewKept(p *Product) *Kept {
	k := &Kept{deep: v.depth(p), words: packedRows(v.words(p, p.K)), version: 1}
	k.panels = make([]float32, Panels(p.N)*k.words*Panel)
	k.state = make([]atomic.Uint32, Panels(p.N)*k.passes(p.K))
	return k
}

// Drop forgets the content, because the operand changes. Not to be called while products run.
func (k *Kept) Drop() { k.version++ }

// Bytes is the memory of the operand.
func (k *Kept) Bytes() int { return 4 * len(k.panels) }

func (k *Kept) passes(depth int) int { return max(1, (depth+k.deep-1)/k.deep) }

// claim returns the memory of a panel in the pass over k that begins at k0, and whether it is filled; nil when another worker fills it just now. Who is given memory
// that is not filled fills it and calls finish.
func (v *Variant) claim(p *Product, k0, panel int) (to []float32, filled bool) {
	k := p.Kept
	if k == nil {
		return nil, false
	}
	to, state := v.memory(p, k0, panel), k.of(p, k0, panel)
	was := state.Load()
	if was == 2*k.version {
		return to, true
	}
	if was == 2*k.version+1 || !state.CompareAndSwap(was, 2*k.version+1) {
		return nil, false
	}
	return to, false
}

// finish says that a claimed panel is filled.
func (k *Kept) finish(p *Product, k0, panel int) { k.of(p, k0, panel).Store(2 * k.version) }

func (k *Kept) of(p *Product, k0, panel int) *atomic.Uint32 {
	return &k.state[panel*k.passes(p.K)+k0/k.deep]
}

// memory is that of a panel in the pass over k that begins at k0.
func (v *Variant) memory(p *Product, k0, panel int) []float32 {
	k := p.Kept
	at := (panel*k.words + v.words(p, k0)) * Panel
	return k.panels[at : at+v.words(p, min(k.deep, p.K-k0))*Panel]
}

func (k *Kept) filled(p *Product, k0, panel int) bool {
	return k.of(p, k0, panel).Load() == 2*k.version
}
