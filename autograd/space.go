package autograd

import (
	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

// Block says that a task owns cotangent rows [Cot0, Cot0+N), which belong to activation rows [Act0, Act0+N).
type Block struct {
	Task, Act0, N, Cot0 int
	flag                int     // block whose written flag covers these cotangent rows
	share               float64 // 1 / number of tasks of these activation rows
}

// Space describes the rows of a Var.
type Space struct {
	N      int     // activation rows
	C      int     // cotangent rows
	Blocks []Block // one per task and run of rows; the auxiliary task's blocks are not among them
	Owned  bool    // every row belongs to one task

	Act  tensor.Tensor // I32 [C]: activation row of a cotangent row, none when equal
	Segs tensor.Tensor // I32 [S,SegCols]: the same blocks for kernels, as this mode cuts them
	Keys tensor.Tensor // I32 [N,2]: key of a row for row-wise random numbers, or none
	Task tensor.Tensor // I32 [N]: owner of a row when Owned, else none

	aux0    int  // first cotangent row of the auxiliary task, or -1
	stacked bool // tasks have cotangent rows of their own; else those of the same activation row are added up
}

// NewSpace describes N input rows: blocks gives task, first row and number of rows; Cot0 is ignored. Activation
// rows of two blocks must be equal or disjoint, and all together they cover [0,N). keys is I32 [N,2] or none.
func (t *Tape) NewSpace(n int, blocks []Block, keys tensor.Tensor) *Space {
	s := t.spaces.next()
	if t.err != nil {
		return s
	}
	start := len(t.blocks)
	t.blocks = append(t.blocks, blocks...)
	s.Blocks = t.blocks[start:len(t.blocks):len(t.blocks)]
	s.N, s.Keys, s.Owned = n, keys, true
	covered := 0
	for i := range s.Blocks {
		b := &s.Blocks[i]
		b.share = 1
		first := true
		for j := range s.Blocks {
			o := &s.Blocks[j]
			if i == j || b.N == 0 || o.N == 0 {
				continue
			}
			if o.Act0 == b.Act0 && o.N == b.N {
				b.share++
				first = first && j > i
				s.Owned = false
			} else if o.Act0 < b.Act0+b.N && b.Act0 < o.Act0+o.N {
				t.Failf("space: rows [%d,%d) of task %d and [%d,%d) of task %d overlap in part", b.Act0, b.Act0+b.N, b.Task, o.Act0, o.Act0+o.N, o.Task)
				return s
			}
		}
		b.share = 1 / b.share
		if first {
			covered += b.N
		}
		if b.Act0 < 0 || b.N < 0 || b.Act0+b.N > n || b.Task < 0 || b.Task >= t.tasks {
			t.Failf("space: block of task %d, rows [%d,%d): want a task under %d and rows under %d", b.Task, b.Act0, b.Act0+b.N, t.tasks, n)
			return s
		}
	}
	if covered != n || len(blocks) > maxBlocks {
		t.Failf("space: %d blocks cover %d of %d rows; want all rows and at most %d blocks", len(blocks), covered, n, maxBlocks)
		return s
	}
	t.layout(s)
	return s
}

// layout places the cotangent rows of s for the tape's mode and builds the tables for kernels.
func (t *Tape) layout(s *Space) {
	s.C, s.aux0, s.stacked = s.N, -1, t.mode == PerTask && t.tap != below
	if s.stacked {
		s.C = 0
		for i := range s.Blocks {
			s.Blocks[i].Cot0 = s.C
			s.C += s.Blocks[i].N
		}
		if t.auxTask {
			s.aux0 = s.C
			s.C += s.N
		}
	}
	for i := range s.Blocks {
		b := &s.Blocks[i]
		b.flag = i
		if !s.stacked {
			b.Cot0 = b.Act0
			for j := range s.Blocks[:i] {
				if s.Blocks[j].Act0 == b.Act0 && s.Blocks[j].N == b.N {
					b.flag = s.Blocks[j].flag
					break
				}
			}
		}
	}
	s.Act, s.Segs, s.Task = tensor.Tensor{}, tensor.Tensor{}, tensor.Tensor{}
	if s.Owned {
		s.Task = t.NewShared(dtype.I32, s.N)
		own := s.Task.I32()
		for _, b := range s.Blocks {
			for i := 0; i < b.N; i++ {
				own[b.Act0+i] = int32(b.Task)
			}
		}
	}
	if !s.stacked {
		s.Segs = t.NewShared(dtype.I32, 1, kernels.SegCols)
		putSeg(s.Segs, 0, 0, 0, 0, s.N)
		return
	}
	rows := len(s.Blocks)
	if s.aux0 >= 0 {
		rows++
	}
	s.Segs = t.NewShared(dtype.I32, rows, kernels.SegCols)
	identity := s.C == s.N
	for i, b := range s.Blocks {
		putSeg(s.Segs, i, b.Task, b.Act0, b.Cot0, b.N)
		identity = identity && b.Act0 == b.Cot0
	}
	if s.aux0 >= 0 {
		putSeg(s.Segs, rows-1, t.tasks, 0, s.aux0, s.N)
	}
	if identity {
		return
	}
	s.Act = t.NewShared(dtype.I32, s.C)
	act := s.Act.I32()
	for _, b := range s.Blocks {
		for i := 0; i < b.N; i++ {
			act[b.Cot0+i] = int32(b.Act0 + i)
		}
	}
	if s.aux0 >= 0 {
		for i := 0; i < s.N; i++ {
			act[s.aux0+i] = int32(i)
		}
	}
}

// putSeg writes row i of a segment table.
func putSeg(segs tensor.Tensor, i, task, act0, row0, n int) {
	s := segs.I32()[i*kernels.SegCols:]
	s[0], s[1], s[2], s[3], s[4] = 0, int32(task), int32(act0), int32(row0), int32(n)
}
