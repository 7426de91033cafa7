package data

import "artel/rng"

// Eval walks a split once, domain by domain, in order. The rows of a domain with owned rows appear once for each of its tasks.
type Eval struct {
	m      *Mixture
	split  Split
	rows   int
	domain int
	at     int
	batch  Batch
	stream rng.Stream
}

// NewEval returns a walk in batches of up to rows examples.
func NewEval(m *Mixture, split Split, rows int) *Eval {
	return &Eval{m: m, split: split, rows: max(rows, 1), stream: rng.New(0).Sub("evaluation")}
}

// Next returns the next batch, or nil at the end. It is valid until the next call.
func (e *Eval) Next() *Batch {
	for e.domain < len(e.m.sources) && e.at >= e.m.sources[e.domain].Len(e.split) {
		e.domain, e.at = e.domain+1, 0
	}
	if e.domain == len(e.m.sources) {
		return nil
	}
	d, src := e.domain, e.m.sources[e.domain]
	n := min(e.rows, src.Len(e.split)-e.at)
	b := &e.batch
	b.begin(e.m)
	stream := e.stream.Sub("rows", uint64(d))
	for _, u := range e.m.units {
		if u.domain != d {
			continue
		}
		b.open(e.m, u, n)
		for i := e.at; i < e.at+n; i++ {
			b.row(e.m, u, src, e.split, uint64(i), stream.At(uint64(i)), uint64(i))
		}
	}
	e.at += n
	return b
}

// Sample makes a batch of n training examples of every domain and hands them to use one after the other: a look at shapes before a run.
func Sample(m *Mixture, n int, use func(b *Batch)) {
	for d := range m.sources {
		e := NewEval(m, Train, n)
		e.domain = d
		if b := e.Next(); b != nil {
			use(b)
		}
	}
}
