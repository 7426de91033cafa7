package param

import (
	"artel/kernels"
	"artel/tensor"
)

// Drain takes the finished task gradients of a parameter from a streaming sink: rows [M,len], of which those with present (I32 [M]) hold a gradient. The
// rows are gone when it returns.
type Drain func(p *Param, rows, present tensor.Tensor)

// stream is the part of a sink that hands out short-lived rows.
type stream struct {
	be    *kernels.Backend
	drain Drain
	left  []int           // by parameter: ops of this pass that have not asked for its rows yet
	lent  []loan          // rows that are out
	pool  []tensor.Tensor // memory for the rows of one op, in the order in which it asks
	used  int             // of the pool
	op    int             // ops flushed so far: an op may ask for the same rows again
	kept  []tensor.Tensor // by parameter: memory for parameters that several ops use
}

// loan is the rows of a parameter, or of a bank of n parameters that are step apart in Set.Params.
type loan struct {
	p       *Param
	n, step int
	op      int           // the last op that asked
	rows    tensor.Tensor // [M,n*pitch]
	pitch   int
}

// NewStreaming is NewPerTask without memory for the task gradients of a whole model: rows are handed out to one op after the other and go to drain when
// the last op that uses the parameter is done. Such a sink takes one backward pass per Begin.
func NewStreaming(be *kernels.Backend, s *Set, tasks int, reach []uint64, drain Drain) (*Sink, error) {
	k, err := newSink(be, s, tasks, reach, nil)
	if err != nil {
		return nil, err
	}
	k.stream = &stream{be: be, drain: drain, left: make([]int, len(s.Params)), kept: make([]tensor.Tensor, len(s.Params))}
	k.places, k.whole = newPlaces(be, s, k.place), newPlaces(be, s, func(p *Param) (column, offset int) { return -1, p.Off })
	return k, nil
}

// Streaming reports whether the sink hands out short-lived rows. A backward pass then calls Expect for every use of a parameter first, Flush after every
// op, and Finish at its end.
func (k *Sink) Streaming() bool { return k.stream != nil }

// Expect announces that an op of the coming pass uses p.
func (k *Sink) Expect(p *Param) { k.stream.left[p.Index]++ }

// Flush passes on what the op that just ended was the last one to use.
func (k *Sink) Flush() {
	s := k.stream
	held := s.lent[:0]
	for _, l := range s.lent {
		if s.left[l.p.Index] > 0 {
			held = append(held, l)
		} else {
			k.pass(l)
		}
	}
	s.lent, s.used = held, 0
	s.op++
}

// Finish passes on what is left: parameters some of whose ops had nothing to add.
func (k *Sink) Finish() {
	clear(k.stream.left)
	k.Flush()
}

// pass drains a loan, parameter by parameter.
func (k *Sink) pass(l loan) {
	for i := range l.n {
		p := k.Set.Params[l.p.Index+i*l.step]
		k.stream.drain(p, l.rows.Narrow(1, i*l.pitch, p.Len()), k.touched.At(p.Index))
	}
}

// lend returns memory for the rows of n parameters like p.
func (k *Sink) lend(p *Param, n, step int) loan {
	s := k.stream
	for i := range s.lent {
		if l := &s.lent[i]; l.p == p { // held since an earlier op, or asked for twice by one
			if l.op != s.op {
				s.left[p.Index]--
			}
			l.op = s.op
			return *l
		}
	}
	s.left[p.Index]--
	l := loan{p: p, n: n, step: step, op: s.op, pitch: roundUp(p.Len())}
	memory := &s.kept[p.Index]
	if s.left[p.Index] <= 0 {
		if s.used == len(s.pool) {
			s.pool = append(s.pool, tensor.Tensor{})
		}
		memory = &s.pool[s.used]
		s.used++
	}
	size := k.Tasks * n * l.pitch
	if !memory.Ok() || memory.Len() < size {
		*memory = s.be.New(s.be.Float, size)
	}
	l.rows = memory.Narrow(0, 0, size).Reshape(k.Tasks, n*l.pitch)
	s.lent = append(s.lent, l)
	return l
}

// Bytes returns the memory that holds task gradients.
func (k *Sink) Bytes() int64 {
	n := 0
	if k.Jac.Ok() {
		n = k.Jac.Len()
	}
	if s := k.stream; s != nil {
		for _, m := range s.pool {
			n += m.Len()
		}
		for _, m := range s.kept {
			if m.Ok() {
				n += m.Len()
			}
		}
	}
	return int64(n) * int64(k.Grad.Type.Size())
}
