package tensor

import (
	"math"
	"runtime/debug"

	"artel/dtype"
)

// Arena hands out short-lived tensors from large blocks and takes all of them back at once with Reset.
//
// After a few resets with the same demand it owns one block per type and allocates nothing more. The contents of a new
// tensor are undefined. An Arena is not safe for concurrent use.
type Arena struct {
	alloc  func(dtype.Type, int) *Storage
	poison bool
	pools  [8]pool // by dtype
}

// pool is the arena of one element type.
type pool struct {
	blocks []*Storage
	cur    int // block in use
	used   int // elements used of it
	live   int // elements handed out and not taken back
	most   int // largest live since Reset
}

// minBlock is the smallest block, in elements.
const minBlock = 1 << 14

// large is a demand, in elements, whose memory is worth handing back at once when it is replaced.
const large = 1 << 22

// alignElems keeps every tensor on a 64-byte line for 4-byte elements.
const alignElems = 16

// NewArena returns an empty arena that takes its blocks from alloc; nil means host memory.
func NewArena(alloc func(dtype.Type, int) *Storage) *Arena {
	if alloc == nil {
		alloc = NewHost
	}
	return &Arena{alloc: alloc}
}

// Poison makes New fill float tensors with NaN and I32 tensors with a huge negative number, so that a read before the
// first write shows. For tests; host memory only.
func (a *Arena) Poison(on bool) { a.poison = on }

// New returns a contiguous tensor with undefined contents, valid until Reset.
func (a *Arena) New(d dtype.Type, shape ...int) Tensor {
	n := 1
	for _, s := range shape {
		n *= s
	}
	p := &a.pools[d]
	need := (n + alignElems - 1) / alignElems * alignElems
	for p.cur < len(p.blocks) && p.used+need > p.blocks[p.cur].Len {
		p.cur, p.used = p.cur+1, 0
	}
	if p.cur == len(p.blocks) {
		n := max(need, minBlock)
		if need < large {
			n = max(n, min(p.most/8, large))
		}
		p.blocks = append(p.blocks, a.alloc(d, n))
	}
	t := Of(p.blocks[p.cur], p.used, shape...)
	p.used += need
	p.live += need
	p.most = max(p.most, p.live)
	if a.poison {
		poison(t)
	}
	return t
}

// Reset takes all tensors back. When the last round needed several blocks they are replaced by one.
func (a *Arena) Reset() {
	for d := range a.pools {
		p := &a.pools[d]
		if len(p.blocks) > 1 {
			for _, b := range p.blocks {
				b.drop()
			}
			clear(p.blocks)
			if p.most > large {
				debug.FreeOSMemory() // or the old blocks would stay resident beside the new one
			}
			// More than was needed: sizes vary a little from step to step. What is never touched costs no memory.
			p.blocks = append(p.blocks[:0], a.alloc(dtype.Type(d), p.most+p.most/8))
		}
		p.cur, p.used, p.live, p.most = 0, 0, 0, 0
	}
}

// Mark is a position in an arena.
type Mark struct{ cur, used, live [8]int }

// Mark returns the present position, for Release.
func (a *Arena) Mark() (m Mark) {
	for d := range a.pools {
		m.cur[d], m.used[d], m.live[d] = a.pools[d].cur, a.pools[d].used, a.pools[d].live
	}
	return m
}

// Release takes back everything handed out since m: scratch of one op.
func (a *Arena) Release(m Mark) {
	for d := range a.pools {
		a.pools[d].cur, a.pools[d].used, a.pools[d].live = m.cur[d], m.used[d], m.live[d]
	}
}

// Used returns the bytes handed out and not taken back.
func (a *Arena) Used() (n int64) {
	for d := range a.pools {
		n += int64(a.pools[d].live) * int64(dtype.Type(d).Size())
	}
	return n
}

// Bytes returns the memory held.
func (a *Arena) Bytes() int64 {
	var n int64
	for d := range a.pools {
		for _, b := range a.pools[d].blocks {
			n += int64(b.Len) * int64(dtype.Type(d).Size())
		}
	}
	return n
}

func poison(t Tensor) {
	switch t.Type {
	case dtype.F32:
		for i, s := 0, t.F32(); i < len(s); i++ {
			s[i] = float32(math.NaN())
		}
	case dtype.F64:
		for i, s := 0, t.F64(); i < len(s); i++ {
			s[i] = math.NaN()
		}
	case dtype.BF16:
		for i, s := 0, t.BF16(); i < len(s); i++ {
			s[i] = 0x7FC0
		}
	case dtype.I32:
		for i, s := 0, t.I32(); i < len(s); i++ {
			s[i] = math.MinInt32
		}
	}
}
