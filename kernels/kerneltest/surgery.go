package kerneltest

import (
	"math"
	"slices"

	"artel/kernels"
	"artel/rng"
	"artel/tensor"
)

func testGradDrop(s *suite) {
	n := 0
	s.eachJacobian(func(c *testCase, m, p, absent int) {
		n++
		args := kernels.GradDrop{J: c.taskGradients(m, p, absent), Present: c.present(m, absent), Dst: c.out(false, m+2, p),
			Key: c.rnd.Key, Hi: 7, Offset: n % 3 * 4096}
		args.Leak = c.double(func(int) float64 { return float64(c.rnd.Intn(3)) / 4 }, m)
		if n%2 == 0 {
			args.SumSq = c.total(p+m+2, 1)
		}
		c.separateSigns(args)
		c.run(args)
	})
	c := s.newCase(0, "all zero")
	c.run(kernels.GradDrop{J: c.floats(func(int) float64 { return 0 }, 2, 21), Present: c.present(2, 0),
		Leak: c.double(func(int) float64 { return 0 }, 2), Dst: c.out(false, 1, 21)})
}

// separateSigns clears the columns where the share of positive gradients is so near to the random number that rounding
// decides the comparison.
func (c *testCase) separateSigns(a kernels.GradDrop) {
	get, set, present := getter(a.J), setter(a.J), getter(a.Present)
	for p := 0; p < a.J.Dim(1); p++ {
		var sum, size float64
		for t := 0; t < a.J.Dim(0); t++ {
			if g := get(t*a.J.Stride(0) + p); present(t) != 0 {
				sum += g
				size += math.Abs(g)
			}
		}
		at := uint64(a.Offset + p)
		u := float64(rng.Philox(a.Key, a.Hi, at/4)[at%4]) * 0x1p-32
		if q := (1 + sum/size) / 2; math.Abs(q-u) < 1e-4 {
			for t := 0; t < a.J.Dim(0); t++ {
				set(t*a.J.Stride(0)+p, 0)
			}
		}
	}
}

func testTrimmedMean(s *suite) {
	n := 0
	s.eachJacobian(func(c *testCase, m, p, absent int) {
		n++
		args := kernels.TrimmedMean{J: c.taskGradients(m, p, absent), Present: c.present(m, absent), Dst: c.out(false, m, p), Trim: n % 4}
		if n%2 == 0 {
			args.SumSq = c.total(p+m+2, 1)
		}
		c.run(args)
	})
	c := s.newCase(0, "NaN and infinity")
	c.run(kernels.TrimmedMean{J: c.poison(c.float(3, 21)), Present: c.present(3, 0), Dst: c.out(false, 3, 21), Trim: 1})
}

func testTrack(s *suite) {
	s.eachJacobian(func(c *testCase, m, p, absent int) {
		args := kernels.Track{Y: c.out(true, 4, m, p), J: c.taskGradients(m, p, absent), Present: c.present(m, absent)}
		args.Keep = c.double(func(t int) float64 { return []float64{0.9, 1, 0, 1}[t%4] }, m)
		args.Take = c.double(func(t int) float64 { return []float64{0.1, 0, 0.5, 2}[t%4] }, m)
		c.run(args)
	})
	c := s.newCase(0, "NaN and infinity")
	c.run(kernels.Track{Y: c.out(true, 4, 2, 21), J: c.poison(c.float(2, 21)), Present: c.present(2, 0),
		Keep: c.double(func(int) float64 { return 0.5 }, 2), Take: c.double(func(int) float64 { return 0.5 }, 2)})
}

func testExcess(s *suite) {
	s.eachJacobian(func(c *testCase, m, p, absent int) {
		sums := c.output(c.positive(m*p), 4).Reshape(m, p)
		args := kernels.Excess{S: sums, J: c.taskGradients(m, p, absent), Present: c.present(m, absent), Dst: c.total(p+4, m), Eps: 1e-7}
		c.run(args)
	})
	c := s.newCase(0, "NaN and zeros")
	g := c.floats(func(i int) float64 { return float64(i%3) * c.normal() }, 2, 21)
	setter(g)(20, nan)
	c.run(kernels.Excess{S: c.output(c.floats(func(int) float64 { return 0 }, 2, 21), 4), J: g, Present: c.present(2, 0), Dst: c.total(21, 2), Eps: 1e-7})
}

func testMaskRows(s *suite) {
	s.eachJacobian(func(c *testCase, m, p, absent int) {
		c.run(kernels.MaskRows{J: c.output(c.taskGradients(m, p, absent), 0), Mask: c.bits(p), Present: c.present(m, absent)})
	})
}

func testSelect(s *suite) {
	for _, p := range columnCounts {
		c := s.newCase(p%3, "P=%d", p)
		c.run(kernels.Select{Dst: c.out(true, 0, p), Src: c.float(p), Mask: c.bits(p)})
	}
	c := s.newCase(0, "NaN and infinity")
	c.run(kernels.Select{Dst: c.output(c.poison(c.float(21)), 0), Src: c.poison(c.float(21)), Mask: c.bits(21)})
}

func testSaliency(s *suite) {
	n := 0
	for _, m := range []int{1, 2, 3, 8} {
		for _, rows := range []int{0, 1, 5, 33} {
			for _, d := range []int{3, 8, 65} {
				n++
				c := s.newCase(n%3, "M=%d N=%d D=%d", m, rows, d)
				grads := c.float(m, rows*d)
				if rows > 1 { // a row without a gradient of task 0, and one without any
					set := setter(grads)
					for t := range m {
						for k := range d {
							set(t*grads.Stride(0)+d+k, 0)
						}
					}
					for k := range d {
						set(k, 0)
					}
				}
				c.run(kernels.Saliency{
					S: grads, U: c.out(false, 4000*(d+m), m, rows*d), Loss: c.total(100*(d+rows), 2), Width: d, Window: []int{1, 4, 16, 64}[n%4],
					Entropy: []float64{0.5, 0, 1}[n%3], Align: []float64{1, 0.5, 0, 2}[n%4], Temperature: 0.5, Floor: 0.01,
				})
			}
		}
	}
}

func testCellGram(s *suite) {
	n := 0
	for _, groups := range []int{1, 3, 8} {
		for _, tasks := range []int{1, 2, 5} {
			for _, dims := range [][3]int{{1, 1, 1}, {9, 7, 33}, {70, 16, 48}} {
				longest, k, width := dims[0], dims[1], dims[2]
				n++
				if s.tooBig(groups * tasks * longest * longest * (k + width)) {
					continue
				}
				c := s.newCase(n%3, "groups=%d M=%d n<=%d k=%d width=%d", groups, tasks, longest, k, width)
				segs, acts, cots := bankSegs(&c.rnd, groups, tasks, longest)
				slices.SortStableFunc(segs, func(a, b segment) int { return a.group - b.group })
				terms := 64 * (longest*longest*tasks + k + width)
				left, right := c.half(leftHalf, c.float), c.half(rightHalf, c.float)
				args := kernels.CellGram{X: left(acts, k), DY: right(cots, width), Segs: c.segTable(segs), G: c.total(terms, groups, tasks, tasks)}
				if n%2 == 0 {
					args.X, args.XIndex = left(11, k), c.rowsOf(acts, 11, false)
				}
				if n%3 == 0 {
					args.DY, args.YIndex = right(13, width), c.rowsOf(cots, 13, false)
				}
				c.run(args)
			}
		}
	}
}

// bits returns n flags, about half of them set.
func (c *testCase) bits(n int) tensor.Tensor {
	return c.ints(func(int) int { return c.rnd.Intn(2) }, n)
}
