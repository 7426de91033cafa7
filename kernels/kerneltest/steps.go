package kerneltest

import (
	"math"

	"artel/kernels"
	"artel/tensor"
)

func testSettle(s *suite) {
	for _, m := range []int{1, 2, 5} {
		for _, groups := range []int{0, 1, 4, 19} {
			for variant := range 4 {
				c := s.newCase(variant%2*3, "M=%d groups=%d variant=%d", m, groups, variant)
				a := kernels.Settle{And: variant == 3}
				var first, table []int
				column, offset := 0, 0
				for range groups {
					first = append(first, len(table)/kernels.SettleCols)
					shared, idle := c.rnd.Intn(3) == 0, c.rnd.Intn(5) == 0
					for range 1 + c.rnd.Intn(4) {
						n := 1 + c.rnd.Intn(3)
						switch {
						case idle:
							table = append(table, -1, -1, n)
						case shared:
							table = append(table, -1, offset, n)
						case variant == 1: // both
							table = append(table, column, offset, n)
						default:
							table = append(table, column, -1, n)
						}
						column, offset = column+n, offset+n+1
					}
				}
				n := len(table) / kernels.SettleCols
				a.First, a.Table = c.list(append(first, n)), c.list(table).Reshape(n, kernels.SettleCols)
				a.Touched = c.ints(func(i int) int { return max(0, c.rnd.Intn(5)-2) }, n, m)
				if variant != 2 {
					a.Rows, a.Grad = c.output(c.float(m, column*kernels.SettleLine), 0), c.output(c.float((offset+1)*kernels.SettleLine), 0)
				}
				if variant != 1 {
					a.Present = c.output(c.bits(groups*m), 0).Reshape(groups, m)
				}
				if variant > 1 {
					a.Active = c.bits(m)
				}
				c.run(a)
			}
		}
	}
}

func testCheck(s *suite) {
	for _, n := range []int{0, 1, 7, 300} {
		for _, bad := range []float64{0, nan, math.Inf(1), math.Inf(-1)} {
			for _, gate := range []float64{1, nan} {
				c := s.newCase(0, "%d numbers, one is %v, gate %v", n, bad, gate)
				at := c.rnd.Intn(max(n, 1))
				x := c.double(func(i int) float64 {
					if i == at && bad != 0 {
						return bad
					}
					return c.normal() * 1e300
				}, n)
				c.run(kernels.Check{X: x, Gate: c.output(c.double(func(int) float64 { return gate }, 1), 0)})
			}
		}
	}
}

func testClip(s *suite) {
	for _, sq := range []float64{0, 1e-300, 0.3, 1, 17, 1e300, nan, math.Inf(1), -1} {
		for _, most := range []float64{0, 0.5, 1, 1e9} {
			for _, gate := range []float64{1, nan} {
				c := s.newCase(0, "norm^2 %v, at most %v, gate %v", sq, most, gate)
				c.run(kernels.Clip{SumSq: c.double(func(int) float64 { return sq }, 1), Max: most,
					Gate: c.output(c.double(func(int) float64 { return gate }, 1), 0), Scale: c.output(c.double(func(int) float64 { return 7 }, 1), 0)})
			}
		}
	}
}

// by is a factor for ops that take one: none, a number, or NaN, by which nothing is written.
func (c *testCase) by(which int) tensor.Tensor {
	if which%3 == 0 {
		return tensor.Tensor{}
	}
	return c.double(func(int) float64 { return []float64{nan, 0.7}[which%3-1] }, 1)
}
