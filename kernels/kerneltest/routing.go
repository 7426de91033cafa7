package kerneltest

import (
	"math"

	"artel/kernels"
)

// topKShapes are {N,E,K}.
var topKShapes = [][3]int{
	{0, 8, 2}, {1, 1, 1}, {1, 5, 5}, {7, 8, 1}, {9, 8, 2}, {5, 17, 4}, {3, 64, 8}, {33, 31, 3}, {2, 257, 6}, {130, 16, 2}, {4, 7, 7},
}

func testTopK(s *suite) {
	for i, shape := range topKShapes {
		for variant := 0; variant < 8; variant++ {
			n, e, k := shape[0], shape[1], shape[2]
			c := s.newCase((i+variant)%2*3, "%v variant=%d", shape, variant)
			args := kernels.TopK{X: c.float(n, e), Index: c.outInt(n, k), Value: c.out(false, 0, n, k)}
			if variant&1 > 0 {
				args.Src = c.float(n, e)
			}
			if variant&2 > 0 { // ties
				c.fill(args.X, func(int) float64 { return float64(c.rnd.Intn(3)) })
			}
			if variant&4 > 0 {
				c.fill(args.X, func(int) float64 {
					return []float64{nan, math.Inf(-1), math.Inf(1), 0, c.normal()}[c.rnd.Intn(5)]
				})
			}
			c.run(args)
		}
	}
}

func testTopKGrad(s *suite) {
	for i, shape := range topKShapes {
		for variant := 0; variant < 4; variant++ {
			n, e, k, acc, tasks := shape[0], shape[1], shape[2], variant&1 > 0, 1+variant&2
			c := s.newCase((i+variant)%2*3, "%v acc=%v M=%d", shape, acc, tasks)
			// Picks may repeat: their gradients add up.
			c.run(kernels.TopKGrad{DX: c.out(acc, 8, n*tasks, e), Index: c.picks(n, k, e, 5), DV: c.float(n*tasks, k),
				Act: c.act(n, tasks), Accumulate: acc})
		}
	}
}

func testRowNormalize(s *suite) {
	for i, shape := range matrixShapes {
		c := s.newCase(i%2*3, "%v", shape)
		c.run(kernels.RowNormalize{Y: c.out(false, shape[1]+4, shape[:]...), X: c.positive(shape[:]...)})
	}
	c := s.newCase(0, "zero sums and NaN")
	x := c.floats(func(i int) float64 { return float64(i / 20) }, 4, 20)
	setter(x)(41, nan)
	setter(x)(63, math.Inf(1))
	c.run(kernels.RowNormalize{Y: c.out(false, 20, 4, 20), X: x})
}

func testRowNormalizeGrad(s *suite) {
	s.eachRowCase("", func(r rowCase) {
		r.run(kernels.RowNormalizeGrad{DX: r.out(r.acc, r.d+4, r.c, r.d), X: r.positive(r.n, r.d), Y: r.positive(r.n, r.d),
			DY: r.float(r.c, r.d), Act: r.act, Accumulate: r.acc})
	})
}

func testCountPicks(s *suite) {
	for i, shape := range topKShapes {
		for _, sets := range []int{1, 4} {
			n, e, k := shape[0], shape[1], shape[2]
			c := s.newCase(i%2*3, "%v sets=%d", shape, sets)
			c.run(kernels.CountPicks{Index: c.picks(n, k, e, 4), Set: c.rowsOf(n, sets, true), Count: c.outInt(sets, e), Rows: c.outInt(sets)})
		}
	}
	c := s.newCase(0, "many rows")
	c.run(kernels.CountPicks{Index: c.picks(3000, 2, 16, 9), Set: c.rowsOf(3000, 3, true), Count: c.outInt(3, 16), Rows: c.outInt(3)})
}

func testGatherSum(s *suite) {
	for i, shape := range matrixShapes {
		for variant := 0; variant < 4; variant++ {
			for _, k := range []int{1, 2, 5} {
				n, d, acc, weighted := shape[0], shape[1], variant&1 > 0, variant&2 > 0
				c := s.newCase((i+variant)%2*3, "%v K=%d acc=%v weighted=%v", shape, k, acc, weighted)
				rows := n*k/2 + 1
				args := kernels.GatherSum{Dst: c.out(acc, k+1, n, d), Src: c.float(rows, d), Inv: c.picks(n, k, rows, 4), Accumulate: acc}
				if weighted {
					args.W = c.float(n, k)
				}
				c.run(args)
			}
		}
	}
	c := s.newCase(0, "NaN that nobody picks and NaN that somebody does")
	src := c.float(4, 21)
	for j := 0; j < 21; j++ {
		setter(src)(j, nan)
	}
	setter(src)(30, nan)
	setter(src)(31, math.Inf(1))
	inv := c.list([]int{1, 2, -1, 3, 2, 2}).Reshape(3, 2)
	w := c.float(3, 2)
	setter(w)(2, nan) // weight of a skipped pick
	c.run(kernels.GatherSum{Dst: c.out(false, 3, 3, 21), Src: src, Inv: inv, W: w})
}
