package kerneltest

import "artel/kernels"

func testGradW(s *suite) {
	n := 0
	for _, dims := range [][2]int{{1, 1}, {3, 5}, {8, 16}, {13, 17}, {16, 33}, {31, 14}, {48, 64}} {
		for _, longest := range []int{1, 4, 9, 33} {
			for variant := 0; variant < 16; variant++ {
				n++
				s.gradW(variant, n%4 > 0, n%3, 1+n%4, 1+n/3%3, longest, dims[0], dims[1])
			}
		}
	}
	s.gradW(0, false, 0, 1, 1, 400, 64, 96)
	s.gradW(3, false, 0, 4, 3, 150, 65, 96)
	s.gradW(4, false, 0, 4, 2, 150, 128, 100)
	for _, empty := range [][]segment{nil, {{0, 0, 0, 0, 0}}} {
		c := s.newCase(0, "no rows, %d segments", len(empty))
		b := c.bank(empty, 1, 1, false, 0, 5, 6)
		c.run(kernels.GradW{X: c.small(3, 5), DY: c.small(3, 6), Segs: b.segs, Dst: b.dst, Touched: b.touched})
	}
	c := s.newCase(0, "NaN and infinity")
	segs := []segment{{0, 0, 0, 0, 4}, {0, 1, 0, 4, 5}}
	b := c.bank(segs, 1, 2, false, 5, 9, 14)
	c.run(kernels.GradW{X: c.poison(c.half(leftHalf, c.float)(5, 9)), DY: c.half(rightHalf, c.float)(9, 14), Segs: b.segs, Dst: b.dst, Touched: b.touched})
}

// gradW runs one case; bits of variant select gathered activations, gathered cotangents, a transposed destination and one
// destination for all tasks.
func (s *suite) gradW(variant int, exact bool, gap, groups, tasks, longest, k, n int) {
	xIndexed, yIndexed, transposed, oneTask := variant&1 > 0, variant&2 > 0, variant&4 > 0, variant&8 > 0
	c := s.newCase(gap, "G=%d M=%d n<=%d %dx%d XIndex=%v YIndex=%v dst^T=%v oneTask=%v exact=%v",
		groups, tasks, longest, k, n, xIndexed, yIndexed, transposed, oneTask, exact)
	segs, acts, cots := bankSegs(&c.rnd, groups, tasks, longest)
	if s.tooBig(cots * k * n) {
		return
	}
	number, tol := c.float, 4*longest
	if exact {
		number, tol = c.small, 0
	}
	shape := []int{k, n}
	if transposed {
		shape = []int{n, k}
	}
	b := c.bank(segs, groups, tasks, oneTask, tol, shape...)
	if transposed {
		b.dst = b.dst.Swap(2, 3)
	}
	left, right := c.half(leftHalf, number), c.half(rightHalf, number)
	args := kernels.GradW{X: left(acts, k), DY: right(cots, n), Segs: b.segs, Dst: b.dst, Touched: b.touched}
	if xIndexed {
		args.X, args.XIndex = left(7, k), c.rowsOf(acts, 7, false)
	}
	if yIndexed {
		args.DY, args.YIndex = right(7, n), c.rowsOf(cots, 7, false)
	}
	c.run(args)
}

func testGradB(s *suite) {
	for n := 0; n < 40; n++ {
		for _, width := range []int{1, 3, 8, 15, 17, 33, 64, 129} {
			groups, tasks, oneTask, exact := 1+n%4, 1+n/3%3, n%5 == 0, n%2 > 0
			c := s.newCase(n%3, "G=%d M=%d D=%d oneTask=%v exact=%v", groups, tasks, width, oneTask, exact)
			segs, _, cots := bankSegs(&c.rnd, groups, tasks, 40)
			number, tol := c.float, 160
			if exact {
				number, tol = c.small, 0
			}
			b := c.bank(segs, groups, tasks, oneTask, tol, width)
			c.run(kernels.GradB{DY: number(cots, width), Segs: b.segs, Dst: b.dst, Touched: b.touched})
		}
	}
	c := s.newCase(0, "NaN and infinity")
	b := c.bank([]segment{{0, 0, 0, 0, 2}, {0, 1, 0, 2, 3}}, 1, 2, false, 3, 14)
	c.run(kernels.GradB{DY: c.poison(c.float(5, 14)), Segs: b.segs, Dst: b.dst, Touched: b.touched})
}
