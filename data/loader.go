package data

import (
	"sync"

	"artel/rng"

	"github.com/pkg/errors"
)

// Loader hands out training batches in order, made ahead by a goroutine when it prefetches. Its memory is a ring of batches: after the largest
// shapes have been seen it allocates nothing.
type Loader struct {
	m      *Mixture
	rows   int
	seed   rng.Stream
	hold   int // batches that stay valid
	ahead  int
	last   Cursor
	out    []*Batch // handed out, the oldest first
	maker  *maker
	free   chan *Batch
	full   chan *Batch
	stop   chan struct{}
	worker sync.WaitGroup
}

// NewLoader returns a loader of batches of the given number of rows. The last hold batches handed out stay valid; prefetch more are made ahead.
func NewLoader(m *Mixture, rows, hold, prefetch int, seed rng.Stream) (*Loader, error) {
	if rows < 1 || hold < 1 || prefetch < 0 {
		return nil, errors.Errorf("data: a loader of %d rows, %d held, %d ahead; want at least 1, 1, 0", rows, hold, prefetch)
	}
	l := &Loader{m: m, rows: rows, seed: seed, hold: hold, ahead: prefetch, last: Cursor{Pos: make([]uint64, len(m.sources))}}
	l.start()
	return l, nil
}

// start begins to work at l.last.
func (l *Loader) start() {
	n := l.hold + l.ahead + 1
	l.free, l.full, l.stop = make(chan *Batch, n), make(chan *Batch, n), make(chan struct{})
	for i := 0; i < n; i++ {
		l.free <- &Batch{}
	}
	l.maker = newMaker(l.m, l.rows, l.seed)
	l.last.copyTo(&l.maker.cursor)
	l.out = make([]*Batch, 0, n)
	if l.ahead == 0 {
		return
	}
	l.worker.Add(1)
	go l.work(l.maker, l.free, l.full, l.stop)
}

// work fills free batches until it is told to stop.
func (l *Loader) work(k *maker, free, full chan *Batch, stop chan struct{}) {
	defer l.worker.Done()
	for {
		select {
		case <-stop:
			return
		case b := <-free:
			k.next(b)
			full <- b
		}
	}
}

// Next returns the next batch. It stays valid until hold more have been asked for.
func (l *Loader) Next() *Batch {
	if len(l.out) == l.hold {
		l.free <- l.out[0]
		copy(l.out, l.out[1:])
		l.out = l.out[:l.hold-1]
	}
	var b *Batch
	if l.ahead > 0 {
		b = <-l.full
	} else {
		b = <-l.free
		l.maker.next(b)
	}
	l.out = append(l.out, b)
	b.cursor.copyTo(&l.last)
	return b
}

// Cursor returns the position after the batches handed out so far, whatever has been made ahead.
func (l *Loader) Cursor() Cursor {
	var c Cursor
	l.last.copyTo(&c)
	return c
}

// CursorInto is Cursor without allocating, once dst has been used.
func (l *Loader) CursorInto(dst *Cursor) { l.last.copyTo(dst) }

// Seek continues at a position that Cursor gave.
func (l *Loader) Seek(c Cursor) error {
	if len(c.Pos) != len(l.m.sources) {
		return errors.Errorf("data: a cursor of %d domains, want %d", len(c.Pos), len(l.m.sources))
	}
	l.Close()
	c.copyTo(&l.last)
	l.start()
	return nil
}

// Close ends the background work.
func (l *Loader) Close() {
	if l.stop == nil {
		return
	}
	close(l.stop)
	l.worker.Wait()
	l.stop = nil
}
