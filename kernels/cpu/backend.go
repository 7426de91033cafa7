package cpu

import (
	"fmt"
	"sync/atomic"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cpu/internal/gemm"
	"artel/kernels/cpu/internal/pool"
	"artel/kernels/cpu/internal/vec"
	"artel/kernels/internal/host"
	"artel/tensor"
)

// backend is the state behind a kernels.Backend: the chosen loops, the pool, scratch that grows to the largest need.
type backend struct {
	gemm     *gemm.Variant
	vec      *vec.Set
	pool     *pool.Pool
	scratch  lender[gemm.Scratch]
	lines    lender[line]
	bf16     bool      // products round their operands
	shares   []float32 // of Balance: by set and expert
	products []gemm.Product
	keepers  map[*tensor.Storage]*keeper
	expert   expertArgs
	epilogue epilogueArgs
	spans    []span
	columns  []columnRun
	tasks    []int // that are present, of an op on task gradients
	chain    []int32
	last     []int32
	fresh    []bool
	sums     []float64
	anchors  []float32 // of Saliency
	adam     vec.AdamStep
	sgd      vec.SGDStep
	lion     vec.LionStep
}

// Variants names what this build can run on this processor, the best first.
func Variants() []string {
	var names []string
	for _, v := range gemm.Variants() {
		names = append(names, v.Name)
	}
	return names
}

// New returns the backend of the best variant for this processor.
func New() *kernels.Backend {
	b, err := NewVariant("")
	if err != nil {
		panic(err) // the empty name always works
	}
	return b
}

// NewVariant returns the backend of a named variant: avx512, avx2 or go. An unknown one is an error that lists the names.
func NewVariant(name string) (*kernels.Backend, error) { return NewPrecision(name, dtype.F32) }

// NewPrecision is NewVariant with matrix products of the given precision: F32, or BF16 for operands that are rounded to bfloat16. Without
// instructions for bfloat16 the rounded operands are multiplied as float32: the same numbers, at no gain.
func NewPrecision(name string, products dtype.Type) (*kernels.Backend, error) {
	g, err := gemm.Find(name)
	if err != nil {
		return nil, err
	}
	b := &backend{gemm: g, vec: vec.Plain(), pool: pool.Shared(), keepers: map[*tensor.Storage]*keeper{}}
	for _, s := range vec.Sets() {
		if s.Name == g.Name {
			b.vec = s
		}
	}
	full := "cpu/" + g.Name
	switch products {
	case dtype.F32:
	case dtype.BF16:
		b.bf16 = true
		full += "+bf16"
		if !g.RoundsNatively() {
			full += " (emulated)"
		}
	default:
		return nil, fmt.Errorf("cpu: products in %v are not available, want F32 or BF16", products)
	}
	linear, elementwise := b.linear(), b.elementwise()
	out := &kernels.Backend{
		Name:        full,
		Float:       dtype.F32,
		Products:    products,
		Halves:      b.bf16,
		Alloc:       tensor.NewHost,
		AllocShared: tensor.NewHost,
		Moves:       b.moves(),
		Linear:      linear,
		Experts:     b.experts(linear, elementwise),
		Elementwise: elementwise,
		Norms:       b.norms(),
		Losses:      b.losses(),
		Routing:     b.routing(),
		Training:    b.training(),
		Steps:       kernels.Steps{Settle: func(a kernels.Settle) { host.Settle(a, fill) }, Check: host.Check, Clip: host.Clip},
		Surgery:     b.surgery(),
	}
	out.AtOnce()
	out.Keep = b.keep
	return out, nil
}

// SetWorkers sets the number of workers of all backends; n < 1 means GOMAXPROCS. Not to be called while ops run.
func SetWorkers(n int) { pool.Shared().SetWorkers(n) }

// lent is the number of buffers of a kind that wait for use; more workers than that make their own.
const lent = 64

// lender lends buffers to workers.
type lender[T any] struct {
	free [lent]atomic.Pointer[T]
}

func (l *lender[T]) take() *T {
	for i := range l.free {
		if s := l.free[i].Load(); s != nil && l.free[i].CompareAndSwap(s, nil) {
			return s
		}
	}
	return new(T)
}

func (l *lender[T]) giveBack(s *T) {
	for i := range l.free {
		if l.free[i].CompareAndSwap(nil, s) {
			return
		}
	}
}

// loop is an op whose work is cut into chunks; its arguments wait in args while the workers run.
type loop[A any] struct {
	args A
	body func(a *A, lo, hi int)
	run  func(lo, hi int)
}

// newLoop prepares a loop once, so that calls allocate nothing.
func newLoop[A any](body func(a *A, lo, hi int)) *loop[A] {
	l := &loop[A]{body: body}
	l.run = func(lo, hi int) { l.body(&l.args, lo, hi) }
	return l
}

// call runs the loop over [0,n) in chunks of about work elements, each index standing for width elements.
func (l *loop[A]) call(p *pool.Pool, a A, n, width int) {
	l.args = a
	p.Run(n, max(1, work/max(width, 1)), l.run)
}

// work is the number of elements of a chunk: some microseconds.
const work = 1 << 13
