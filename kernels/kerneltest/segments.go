package kerneltest

import (
	"artel/kernels"
	"artel/rng"
	"artel/tensor"
)

// segment is one row of a segment table.
type segment struct{ group, task, act0, row0, n int }

// segTable returns the segments as I32 [S,SegCols].
func (c *testCase) segTable(segs []segment) tensor.Tensor {
	return c.ints(func(i int) int {
		s := segs[i/kernels.SegCols]
		return [...]int{s.group, s.task, s.act0, s.row0, s.n}[i%kernels.SegCols]
	}, len(segs), kernels.SegCols)
}

// sharing tells how tasks own token rows.
type sharing int

const (
	owned  sharing = iota // each row belongs to one task, grouped by task
	shared                // every task has cotangent rows for every row
	mixed                 // pieces of rows, each owned by one task or shared by some
)

// tokenSegs cuts rows activation rows for tasks tasks and returns the segments with the number of cotangent rows. Some
// segments are empty.
func tokenSegs(rnd *rng.Stream, how sharing, rows, tasks int) (segs []segment, cotangents int) {
	switch how {
	case owned:
		act0 := 0
		for t := 0; t < tasks; t++ {
			n := rnd.Intn(rows - act0 + 1)
			if t == tasks-1 {
				n = rows - act0
			}
			segs = append(segs, segment{0, t, act0, act0, n})
			act0 += n
		}
		return segs, rows
	case shared:
		for t := 0; t < tasks; t++ {
			segs = append(segs, segment{0, t, 0, t * rows, rows})
		}
		return segs, rows * tasks
	}
	for act0 := 0; act0 < rows; {
		n := rnd.Intn(rows-act0) + 1
		first := rnd.Intn(tasks)
		last := first + rnd.Intn(tasks-first)
		for t := first; t <= last; t++ {
			segs = append(segs, segment{0, t, act0, cotangents, n})
			cotangents += n
		}
		act0 += n
	}
	return append(segs, segment{0, 0, rows, cotangents, 0}), cotangents
}

// bankSegs makes segments in random order and of random length for a bank of groups x tasks destinations: some destinations
// get several, some only empty ones, some none. Activation rows may repeat; cotangent rows are disjoint. It returns the numbers of
// activation and cotangent rows that the segments need.
func bankSegs(rnd *rng.Stream, groups, tasks, longest int) (segs []segment, acts, cotangents int) {
	for g := 0; g < groups; g++ {
		for t := 0; t < tasks; t++ {
			for i := rnd.Intn(4); i > 0; i-- {
				n := 0
				if rnd.Intn(4) > 0 {
					n = rnd.Intn(longest + 1)
				}
				segs = append(segs, segment{g, t, rnd.Intn(5), cotangents, n})
				cotangents += n
				acts = max(acts, segs[len(segs)-1].act0+n)
			}
		}
	}
	order := make([]int, len(segs))
	rnd.Perm(order)
	out := make([]segment, len(segs))
	for i, j := range order {
		out[i] = segs[j]
	}
	return out, acts, cotangents
}

// bank holds the destinations of a parameter gradient that segments are summed into.
type bank struct{ dst, touched, segs tensor.Tensor }

// bank allocates destinations of the given inner shape for groups x tasks (one shared by all tasks when oneTask) and marks
// what the segments write. About a third of the destinations hold a gradient already. k is the tolerance, 0 for exact.
func (c *testCase) bank(segs []segment, groups, tasks int, oneTask bool, k int, shape ...int) bank {
	m := tasks
	if oneTask {
		m = 1
	}
	full := append([]int{groups, m}, shape...)
	var b bank
	if k == 0 {
		b.dst = c.small(full...)
	} else {
		b.dst = c.float(full...)
	}
	c.buffer(b.dst).k = k
	b.touched = c.ints(func(int) int { return int(c.rnd.Uint64() % 3 / 2) }, groups, m)
	for g := 0; g < groups; g++ {
		for t := 0; t < m; t++ {
			d, held := b.dst.At(g).At(t), getter(b.touched.At(g))(t*b.touched.Stride(1)) != 0
			written := false
			for _, s := range segs {
				written = written || s.group == g && (oneTask || s.task == t) && s.n > 0
			}
			if written {
				c.mark(d, output)
				c.mark(b.touched.Narrow(0, g, 1).Narrow(1, t, 1), output)
			}
			if !held {
				c.fill(d, func(int) float64 { return nan }) // garbage that must be overwritten, or left alone
			}
		}
	}
	if oneTask {
		b.dst = repeatTask(b.dst, tasks)
		b.touched = repeatTask(b.touched, tasks)
	}
	b.segs = c.segTable(segs)
	return b
}

// repeatTask returns [G,1,...] as [G,tasks,...] with stride 0 along the tasks.
func repeatTask(x tensor.Tensor, tasks int) tensor.Tensor {
	shape, stride := x.Shape(), make([]int, x.Rank())
	for i := range stride {
		stride[i] = x.Stride(i)
	}
	shape[1], stride[1] = tasks, 0
	return x.Strided(shape, stride)
}
