package autograd

// Op is the record of one operation on a tape.
type Op interface {
	// Backward adds to the cotangents of the op's inputs and to parameter gradients, given the cotangent of its output.
	Backward(t *Tape)
}

// Kind is a pool of records of one type; a package-level Kind per op keeps steps free of allocations.
type Kind[T any] struct{ Name string }

// NewKind returns the pool of an op; name is used in messages.
func NewKind[T any](name string) *Kind[T] { return &Kind[T]{Name: name} }

// New returns a zeroed record that lives until the tape is reset.
func (k *Kind[T]) New(t *Tape) *T {
	p, ok := t.pools[k].(*slab[T])
	if !ok {
		p = &slab[T]{}
		t.pools[k] = p
	}
	return p.next()
}

// slab hands out records from chunks that never move.
type slab[T any] struct {
	chunks [][]T
	n      int
}

const slabChunk = 32

func (s *slab[T]) next() *T {
	c, i := s.n/slabChunk, s.n%slabChunk
	if c == len(s.chunks) {
		s.chunks = append(s.chunks, make([]T, slabChunk))
	}
	s.n++
	v := &s.chunks[c][i]
	var zero T
	*v = zero
	return v
}

func (s *slab[T]) reset() { s.n = 0 }

// resetter is a slab of any type.
type resetter interface{ reset() }
