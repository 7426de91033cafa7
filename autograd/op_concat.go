package autograd

import "artel/kernels"

type concat struct {
	parts [4]*Var
	n     int
	y     *Var
}

var concatKind = NewKind[concat]("concat")

// Concat stacks the rows of parts, which describe in order the rows of s (the whole batch) from its first row on: how the
// domains of a batch, each through its own input layer, become one. Each part's space holds the blocks of s that lie in its rows.
func Concat(t *Tape, s *Space, parts ...*Var) *Var {
	if t.err != nil {
		return t.Bad()
	}
	if len(parts) == 1 && parts[0].Space == s {
		return parts[0]
	}
	op := concatKind.New(t)
	if len(parts) > len(op.parts) {
		t.Failf("concat: %d parts, want at most %d", len(parts), len(op.parts))
		return t.Bad()
	}
	y := t.NewVar(t.New(s.N, parts[0].Cols()), s)
	*op = concat{n: len(parts), y: y}
	row := 0
	for i, p := range parts {
		op.parts[i] = p
		if p.Cols() != y.Cols() || row+p.Rows() > s.N {
			t.Failf("concat: part %d is %v, want width %d and %d rows in all", i, p.Value, y.Cols(), s.N)
			return t.Bad()
		}
		t.be.Copy(kernels.Copy{Dst: y.Value.Narrow(0, row, p.Rows()), Src: p.Value})
		row += p.Rows()
	}
	return t.Record("concat", op, y, false, parts...)
}

func (o *concat) Backward(t *Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	// A part's blocks are the blocks of the whole that lie in its rows, in the same order.
	whole, row := o.y.Space, 0
	for _, p := range o.parts[:o.n] {
		at := 0
		for _, b := range whole.Blocks {
			if b.Act0 < row || b.Act0 >= row+p.Rows() {
				continue
			}
			if !whole.stacked && b.flag != indexOf(whole, b) {
				at++
				continue // plain mode: tasks of the same rows share their cotangent
			}
			if dx, acc, ok := t.intoBlock(p, at); ok {
				t.be.Axpy(kernels.Axpy{Dst: dx, Src: dy.Narrow(0, b.Cot0, b.N), Alpha: 1, Accumulate: acc})
			}
			at++
		}
		if whole.aux0 >= 0 {
			if dx, acc, ok := t.intoAux(p); ok {
				t.be.Axpy(kernels.Axpy{Dst: dx, Src: dy.Narrow(0, whole.aux0+row, p.Rows()), Alpha: 1, Accumulate: acc})
			}
		}
		row += p.Rows()
	}
}

// indexOf returns the position of b in s.
func indexOf(s *Space, b Block) int {
	for i := range s.Blocks {
		if s.Blocks[i].Task == b.Task && s.Blocks[i].Act0 == b.Act0 {
			return i
		}
	}
	return -1
}

// Part returns the space of rows [row0, row0+n) of s: the rows of one domain of a batch.
func (t *Tape) Part(s *Space, row0, n int) *Space {
	if row0 == 0 && n == s.N {
		return s
	}
	start := len(t.scratchBlocks)
	for _, b := range s.Blocks {
		if b.Act0 >= row0 && b.Act0 < row0+n {
			b.Act0 -= row0
			t.scratchBlocks = append(t.scratchBlocks, b)
		}
	}
	blocks := t.scratchBlocks[start:]
	t.scratchBlocks = t.scratchBlocks[:start]
	keys := s.Keys
	if keys.Ok() {
		keys = keys.Narrow(0, row0, n)
	}
	return t.NewSpace(n, blocks, keys)
}
