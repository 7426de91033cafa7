package kerneltest

import (
	"math"

	"artel/kernels"
	"artel/tensor"
)

// gemmRows, gemmCols and gemmDepths surround the tile sizes of the backends (4, 6, 8, 12, 14, 16, 32, 48, 64).
var (
	gemmRows   = []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 17, 29, 31, 33, 65}
	gemmCols   = []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 65}
	gemmDepths = []int{0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 33}
)

// gemmLarge are m, n, k of a small model, large enough for blocking in every dimension and for several threads.
var gemmLarge = [][3]int{{64, 256, 128}, {300, 70, 130}, {1, 512, 300}, {37, 1, 600}, {130, 33, 1100}, {97, 101, 103}, {512, 48, 64}}

func testGEMM(s *suite) {
	n := 0
	for _, rows := range gemmRows {
		for _, cols := range gemmCols {
			for i := 0; i < 2; i++ {
				depth := gemmDepths[n%len(gemmDepths)]
				s.gemm(n/3, true, rows, cols, depth)
				n++
			}
		}
	}
	for variant := 0; variant < 16; variant++ {
		for _, size := range gemmLarge {
			if variant%4 == size[1]%4 || variant == 0 {
				s.gemm(variant, false, size[0], size[1], size[2])
			}
		}
	}
	s.epilogues()
	c := s.newCase(0, "NaN and infinity")
	left, right := c.half(leftHalf, c.float), c.half(rightHalf, c.float)
	c.run(kernels.GEMM{A: c.poison(left(5, 33)), B: right(33, 20), C: c.out(false, 33, 5, 20)})
	c = s.newCase(0, "one NaN stays in its row")
	left, right = c.half(leftHalf, c.float), c.half(rightHalf, c.float)
	a := left(9, 17)
	setter(a)(3*17+4, nan)
	c.run(kernels.GEMM{A: a, B: right(17, 19), C: c.out(false, 17, 9, 19)})
	c = s.newCase(0, "one infinity stays in its column")
	b := c.floats(func(int) float64 { return c.rnd.Float64() + 1 }, 17, 19)
	setter(b)(3*19+4, math.Inf(1))
	c.run(kernels.GEMM{A: c.floats(func(int) float64 { return 1 }, 9, 17), B: b, C: c.out(false, 17, 9, 19)})
}

// gemm runs one case; bits of variant select transposes, bias, accumulation and gaps. Exact cases use integers.
func (s *suite) gemm(variant int, exact bool, m, n, k int) {
	if s.tooBig(m * n * k) {
		return
	}
	ta, tb, acc, bias, gap := variant&1 > 0, variant&2 > 0, variant&4 > 0, variant&8 > 0, variant/16%3*3
	c := s.newCase(gap, "%dx%dx%d A^T=%v B^T=%v acc=%v bias=%v", m, n, k, ta, tb, acc, bias)
	number, tol := c.float, k+2
	if exact {
		number, tol = c.small, 0
	}
	args := kernels.GEMM{A: transposable(c.half(leftHalf, number), ta, m, k), B: transposable(c.half(rightHalf, number), tb, k, n), C: c.out(acc, tol, m, n), Accumulate: acc}
	if bias {
		args.Bias = number(n)
	}
	c.run(args)
}

// transposable returns a matrix [m,n], stored by columns when t.
func transposable(number func(...int) tensor.Tensor, t bool, m, n int) tensor.Tensor {
	if t {
		return number(n, m).T()
	}
	return number(m, n)
}

// groupSizes are rows by group: none, empty ones at every place, one, around tiles, one group with everything.
var groupSizes = [][]int{
	{0}, {1}, {0, 0, 0}, {5, 0, 1, 0, 13}, {0, 7, 8, 9, 0}, {3, 3, 3, 3, 3, 3, 3, 3}, {0, 40, 0, 0}, {16, 31, 2, 65, 1, 0, 6, 14},
}

func testGroupedGEMM(s *suite) {
	n := 0
	for _, sizes := range groupSizes {
		for _, dims := range [][2]int{{1, 1}, {7, 9}, {16, 32}, {17, 33}, {64, 48}, {129, 65}} {
			for variant := 0; variant < 4; variant++ {
				n++
				s.groupedGEMM(sizes, variant&1 > 0, variant&2 > 0, n%3 > 0, n%2*3, dims[0], dims[1])
			}
		}
	}
	s.groupedGEMM([]int{100, 0, 37, 150}, true, false, false, 0, 128, 256)
	s.groupedGEMM([]int{100, 0, 37, 150}, true, true, false, 0, 256, 128)
}

func (s *suite) groupedGEMM(sizes []int, indexed, transposed, exact bool, gap, k, n int) {
	off := []int{0}
	for _, m := range sizes {
		off = append(off, off[len(off)-1]+m)
	}
	R := off[len(sizes)]
	if s.tooBig(R * n * k) {
		return
	}
	c := s.newCase(gap, "groups %v %dx%d indexed=%v B^T=%v exact=%v", sizes, k, n, indexed, transposed, exact)
	number, tol := c.float, k
	if exact {
		number, tol = c.small, 0
	}
	spare := 3 // rows past R, which stay as they are
	left, right := c.half(leftHalf, number), c.half(rightHalf, number)
	args := kernels.GroupedGEMM{A: left(R+spare, k), Off: c.list(off), C: c.half(outHalf, number)(R+spare, n)}
	c.fill(args.C, func(int) float64 { return nan })
	c.output(args.C.Narrow(0, 0, R), tol)
	if indexed {
		args.A = left(R/2+1, k)
		args.Index = c.ints(func(i int) int {
			if i >= R {
				return math.MinInt32 // must not be read
			}
			return c.rnd.Intn(R/2 + 1)
		}, R+spare)
	}
	if args.B = right(len(sizes), k, n); transposed {
		args.B = right(len(sizes), n, k).Swap(1, 2)
	}
	c.run(args)
}

func testEmbed(s *suite) {
	for _, dims := range [][3]int{{0, 3, 4}, {1, 1, 1}, {5, 7, 3}, {16, 10, 16}, {33, 100, 17}, {64, 512, 96}} {
		for gap := 0; gap < 6; gap += 3 {
			rows, vocab, width := dims[0], dims[1], dims[2]
			c := s.newCase(gap, "rows=%d V=%d D=%d", rows, vocab, width)
			c.run(kernels.Embed{Table: c.float(vocab, width), IDs: c.rowsOf(rows, vocab, false), Dst: c.out(false, 0, rows, width)})
			for _, mean := range []bool{false, true} {
				c := s.newCase(gap, "bags=%d V=%d D=%d mean=%v", rows, vocab, width, mean)
				ids, off := c.bags(rows, vocab)
				c.run(kernels.Embed{Table: c.float(vocab, width), IDs: ids, Off: off, Dst: c.out(false, 5, rows, width), Mean: mean})
			}
		}
	}
}

// bags returns rows bags of 0 to 5 ids.
func (c *testCase) bags(rows, vocab int) (ids, off tensor.Tensor) {
	o := []int{0}
	for i := 0; i < rows; i++ {
		o = append(o, o[i]+c.rnd.Intn(6))
	}
	return c.rowsOf(o[rows], vocab, false), c.list(o)
}

func testEmbedGrad(s *suite) {
	for n := 0; n < 48; n++ {
		for _, dims := range [][3]int{{1, 1, 1}, {3, 7, 5}, {9, 10, 16}, {20, 40, 33}} {
			longest, vocab, width := dims[0], dims[1], dims[2]
			tasks, bagged, mean, oneTask := n%3+1, n%2 > 0, n%4 == 3, n%5 == 0
			tol := 0
			if mean {
				tol = 16
			}
			c := s.newCase(n%3, "n<=%d V=%d D=%d M=%d bags=%v mean=%v oneTask=%v", longest, vocab, width, tasks, bagged, mean, oneTask)
			segs, acts, cots := bankSegs(&c.rnd, 1, tasks, longest)
			b := c.bank(segs, 1, tasks, oneTask, tol, vocab, width)
			args := kernels.EmbedGrad{DY: c.small(cots, width), Segs: b.segs, Dst: b.dst, Touched: b.touched, Mean: mean}
			if bagged {
				args.IDs, args.Off = c.bags(acts, vocab)
			} else {
				args.IDs = c.rowsOf(acts, vocab, false)
			}
			c.run(args)
		}
	}
}
