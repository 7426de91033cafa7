package kerneltest

import (
	"math"

	"artel/kernels"
	"artel/tensor"
)

// expertDims are input and hidden widths: around panels, and in whole ones.
var expertDims = [][2]int{{1, 1}, {7, 9}, {16, 32}, {17, 33}, {64, 96}, {40, 160}, {300, 64}, {0, 32}}

func testGroupedGated(s *suite) {
	n := 0
	for _, g := range gates {
		for i, sizes := range groupSizes {
			for j, dims := range expertDims {
				n++
				if g != kernels.SwiGLU && (i+j)%3 > 0 {
					continue
				}
				s.groupedGated(g, sizes, n%2 > 0, n%3 > 0, n%2*3, dims[0], dims[1])
			}
		}
	}
	s.groupedGated(kernels.SwiGLU, []int{400, 0, 37, 150}, true, false, 0, 130, 128)
}

// grouped is the memory that both ops share: offsets, and an index whose entries past the rows must not be read.
func (c *testCase) grouped(number func(...int) tensor.Tensor, sizes []int, indexed bool, k int) (x, index, off tensor.Tensor, rows int) {
	offsets := []int{0}
	for _, m := range sizes {
		rows += m
		offsets = append(offsets, rows)
	}
	off = c.list(offsets)
	if !indexed {
		return number(rows+spareRows, k), index, off, rows
	}
	index = c.ints(func(i int) int {
		if i >= rows {
			return math.MinInt32
		}
		return c.rnd.Intn(rows/2 + 1)
	}, rows+spareRows)
	return number(rows/2+1, k), index, off, rows
}

// spareRows are rows past the last group, which stay as they are.
const spareRows = 3

func (s *suite) groupedGated(g kernels.Gate, sizes []int, indexed, transposed bool, gap, k, f int) {
	c := s.newCase(gap, "%v groups %v k=%d F=%d indexed=%v B^T=%v", g, sizes, k, f, indexed, transposed)
	number, limit := c.float, k
	if c.s.halves&hiddenHalf != 0 { // sums that are the same in any order, so that they round to the same numbers
		number, limit = c.small, 0
	}
	x, index, off, rows := c.grouped(c.half(leftHalf, number), sizes, indexed, k)
	if s.tooBig(rows * k * f) {
		return
	}
	args := kernels.GroupedGated{X: x, Index: index, Off: off, Gate: g, B: c.bankMatrix(transposed, len(sizes), k, g.Width(f))}
	args.H, args.A = c.unset(hiddenHalf, limit, rows, g.Width(f)), c.unset(outHalf, k+specialTerms, rows, f)
	c.buffer(args.H).again = true
	c.run(args)
}

// unset returns rows of NaN that are an output, and spare ones after them.
func (c *testCase) unset(h halves, k, rows, cols int) tensor.Tensor {
	x := c.half(h, c.nans)(rows+spareRows, cols)
	c.output(x.Narrow(0, 0, rows), k)
	return x
}

// bankMatrix returns matrices of a bank, small enough that gates are not saturated.
func (c *testCase) bankMatrix(transposed bool, groups, k, n int) tensor.Tensor {
	number := c.half(rightHalf, func(shape ...int) tensor.Tensor {
		if c.s.halves&hiddenHalf != 0 { // few digits
			unit := math.Ldexp(1, -2-int(math.Ceil(math.Log2(float64(max(k, 1)))/2)))
			return c.floats(func(int) float64 { return float64(c.rnd.Intn(9)-4) * unit }, shape...)
		}
		return c.floats(func(int) float64 { return c.normal() / math.Sqrt(float64(k)) }, shape...)
	})
	if transposed {
		return number(groups, n, k).Swap(1, 2)
	}
	return number(groups, k, n)
}

func testGroupedGatedGrad(s *suite) {
	n := 0
	for _, g := range gates {
		for i, sizes := range groupSizes {
			for j, dims := range expertDims {
				n++
				if g != kernels.SwiGLU && (i+j)%3 > 0 {
					continue
				}
				s.groupedGatedGrad(g, sizes, n, dims[0], dims[1])
			}
		}
	}
	for n := 0; n < 4; n++ {
		s.groupedGatedGrad(kernels.SwiGLU, []int{400, 0, 37, 150}, n, 300, 128)
	}
}

// groupedGatedGrad runs one case; n selects gathered rows, transposed weights, rows that share activations, scales, what is asked for, and where.
func (s *suite) groupedGatedGrad(g kernels.Gate, sizes []int, n, k, f int) {
	indexed, transposed, shared, scaled, dScaled, again := n%2 > 0, n/2%2 > 0, n%3 == 0, n%5 > 1, n%4 > 0, n%7 > 2
	again = again && !shared
	inPlace := n%4 < 2 && !shared
	c := s.newCase(n%2*3, "%v groups %v k=%d F=%d indexed=%v B^T=%v act=%v scale=%v dscale=%v A=%v in place=%v", g, sizes, k, f, indexed, transposed, shared, scaled, dScaled, again, inPlace)
	dy, index, off, rows := c.grouped(c.half(leftHalf, c.float), sizes, indexed, k)
	if s.tooBig(rows * k * f) {
		return
	}
	args := kernels.GroupedGatedGrad{DY: dy, Index: index, Off: off, Gate: g, B: c.bankMatrix(transposed, len(sizes), k, f)}
	acts := rows
	if shared {
		acts = rows/2 + 1
		args.Act = c.rowsOf(rows+spareRows, acts, false)
	}
	args.H = c.half(hiddenHalf, c.float)(acts, g.Width(f))
	if scaled {
		args.Scale = c.float(acts)
	}
	if inPlace {
		args.H = c.half(hiddenHalf, c.float)(rows+spareRows, g.Width(f))
		args.DH = args.H
		c.output(args.DH.Narrow(0, 0, rows), k+specialTerms)
	} else {
		args.DH = c.unset(outHalf, k+specialTerms, rows, g.Width(f))
	}
	if dScaled {
		args.DScale = c.floats(func(int) float64 { return nan }, rows+spareRows)
		c.output(args.DScale.Narrow(0, 0, rows), k+f+specialTerms)
		c.least(args.DScale, 0.1) // sums of f products of the order of 1
	}
	if again {
		args.A = c.unset(outHalf, specialTerms, rows, f)
	}
	args.DA = c.mark(c.floats(func(int) float64 { return nan }, rows+spareRows, f), undefined)
	c.run(args)
}
