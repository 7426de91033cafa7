package kerneltest

import (
	"math"

	"artel/kernels"
	"artel/tensor"
)

// gradientOf chooses where the gradient of a loss goes: a matrix of its own, the memory of x, or nowhere.
func (c *testCase) gradientOf(x tensor.Tensor, choice, k int) tensor.Tensor {
	switch choice % 3 {
	case 0:
		return c.out(false, k, x.Dim(0), x.Dim(1))
	case 1:
		return c.output(x, k)
	}
	return tensor.Tensor{}
}

// labels returns n labels of v classes, some of them -1 or -100.
func (c *testCase) labels(n, v int) tensor.Tensor {
	return c.ints(func(i int) int {
		switch c.rnd.Intn(8) {
		case 0:
			return -1
		case 1:
			return -100
		}
		return c.rnd.Intn(v)
	}, n)
}

func testCrossEntropy(s *suite) {
	for i, shape := range matrixShapes {
		for variant := 0; variant < 6; variant++ {
			n, v, smoothing := shape[0], shape[1], float64(variant/3)*0.1
			c := s.newCase((i+variant)%2*3, "%v variant=%d", shape, variant)
			x := c.floats(func(int) float64 { return 3 * c.normal() }, n, v)
			c.run(kernels.CrossEntropy{X: x, DX: c.gradientOf(x, variant, v+specialTerms), Label: c.labels(n, v),
				Loss: c.total(v+specialTerms, 1), Scale: 0.37, Smoothing: smoothing})
		}
	}
	c := s.newCase(0, "masked classes")
	x := c.floats(func(i int) float64 {
		if i%21 > 2 && c.rnd.Intn(3) == 0 {
			return math.Inf(-1)
		}
		return c.normal()
	}, 8, 21)
	label := c.ints(func(i int) int { return i % 3 }, 8)
	c.run(kernels.CrossEntropy{X: x, DX: c.out(false, 99, 8, 21), Label: label, Loss: c.total(99, 1), Scale: 1})
	c = s.newCase(0, "large logits")
	x = c.floats(func(int) float64 { return 200 * c.normal() }, 8, 21)
	const terms = 100000 // exp(x-z) amplifies the rounding of z by z, which is in the hundreds
	c.run(kernels.CrossEntropy{X: x, DX: c.out(false, terms, 8, 21), Label: c.labels(8, 21), Loss: c.total(terms, 1), Scale: 1})
	c = s.newCase(0, "NaN")
	x = c.float(3, 21)
	setter(x)(30, nan)
	c.run(kernels.CrossEntropy{X: x, DX: c.out(false, 99, 3, 21), Label: c.list([]int{1, 2, 3}), Loss: c.total(99, 1), Scale: 1})
	c = s.newCase(0, "NaN in an ignored row")
	x = c.float(3, 21)
	setter(x)(30, nan)
	c.run(kernels.CrossEntropy{X: x, DX: c.out(false, 99, 3, 21), Label: c.list([]int{1, -1, 3}), Loss: c.total(99, 1), Scale: 1})
}

// targets returns targets drawn by draw, one in six of them NaN, which means none.
func (c *testCase) targets(n, v int, draw func() float64) tensor.Tensor {
	return c.floats(func(int) float64 {
		if c.rnd.Intn(6) == 0 {
			return nan
		}
		return draw()
	}, n, v)
}

func testBCE(s *suite) {
	for i, shape := range matrixShapes {
		for variant := 0; variant < 6; variant++ {
			n, v := shape[0], shape[1]
			c := s.newCase((i+variant)%2*3, "%v variant=%d", shape, variant)
			x := c.floats(func(i int) float64 { return []float64{2, 30, 1e-3}[i%3] * c.normal() }, n, v)
			target := c.targets(n, v, func() float64 { return float64(c.rnd.Intn(2)) })
			if variant > 2 {
				target = c.targets(n, v, c.rnd.Float64)
			}
			c.run(kernels.BCE{X: x, DX: c.gradientOf(x, variant, specialTerms), Target: target, Loss: c.total(specialTerms, 1), Scale: 0.37})
		}
	}
	c := s.newCase(0, "NaN")
	x := c.float(3, 21)
	setter(x)(30, nan)
	c.run(kernels.BCE{X: x, DX: c.out(false, 99, 3, 21), Target: c.positive(3, 21), Loss: c.total(99, 1), Scale: 1})
}

func testRegression(s *suite) {
	for i, shape := range matrixShapes {
		for variant := 0; variant < 9; variant++ {
			n, v, delta := shape[0], shape[1], []float64{0, 1, 0.3}[variant/3]
			c := s.newCase((i+variant)%2*3, "%v delta=%v variant=%d", shape, delta, variant)
			x := c.float(n, v)
			c.run(kernels.Regression{X: x, DX: c.gradientOf(x, variant, 4), Target: c.targets(n, v, c.normal),
				Loss: c.total(specialTerms, 1), Scale: 0.37, Delta: delta})
		}
	}
	for _, bad := range []float64{nan, math.Inf(1), math.Inf(-1)} {
		for _, delta := range []float64{0, 1} {
			c := s.newCase(0, "%v delta=%v", bad, delta)
			x := c.float(3, 21)
			setter(x)(30, bad)
			c.run(kernels.Regression{X: x, DX: c.out(false, 4, 3, 21), Target: c.positive(3, 21), Loss: c.total(99, 1), Scale: 1, Delta: delta})
		}
	}
}

func testBalance(s *suite) {
	for i, shape := range matrixShapes {
		for _, sets := range []int{1, 3, 6} {
			n, e := shape[0], shape[1]
			c := s.newCase((i+sets)%2*3, "%v sets=%d", shape, sets)
			set := make([]int, n)
			for i := range set {
				set[i] = c.rnd.Intn(sets+1) - 1
			}
			args := kernels.Balance{P: c.positive(n, e), DP: c.out(false, 8, n, e), Set: c.list(set),
				Weight: c.float(sets), Loss: c.total(specialTerms, 1), Scale: 0.01}
			args.Count = c.ints(func(i int) int {
				if i/e == 1 {
					return 0 // set 1 has rows and no picks
				}
				return c.rnd.Intn(9)
			}, sets, e)
			rows := make([]int, sets)
			for _, s := range set {
				if s >= 0 {
					rows[s]++
				}
			}
			args.Rows = c.list(rows)
			c.run(args)
		}
	}
	c := s.newCase(0, "more rows than these: a part of a larger batch")
	c.run(kernels.Balance{P: c.positive(4, 5), DP: c.out(false, 8, 4, 5), Set: c.list([]int{0, 0, 0, 0}), Weight: c.float(1),
		Loss: c.total(specialTerms, 1), Scale: 1, Count: c.list([]int{5, 4, 0, 2, 9}).Reshape(1, 5), Rows: c.list([]int{10})})
}

func testZLoss(s *suite) {
	for i, shape := range matrixShapes {
		for _, size := range []float64{1, 40} {
			c := s.newCase(i%2*3, "%v size=%v", shape, size)
			x := c.floats(func(int) float64 { return size * c.normal() }, shape[0], shape[1])
			terms := shape[1] + specialTerms*int(size) // exp(x-z) amplifies the rounding of z by z
			c.run(kernels.ZLoss{X: x, DX: c.out(false, terms, shape[0], shape[1]), Loss: c.total(terms, 1), Scale: 0.37})
		}
	}
	c := s.newCase(0, "NaN")
	x := c.float(3, 21)
	setter(x)(30, nan)
	c.run(kernels.ZLoss{X: x, DX: c.out(false, 99, 3, 21), Loss: c.total(99, 1), Scale: 1})
}

func testMetrics(s *suite) {
	for i, shape := range matrixShapes {
		for variant := 0; variant < 4; variant++ {
			n, v := shape[0], shape[1]
			c := s.newCase((i+variant)%2*3, "%v variant=%d", shape, variant)
			args := kernels.Metrics{X: c.float(n, v), Label: c.labels(n, v)}
			if variant&1 > 0 {
				c.fill(args.X, func(int) float64 { return []float64{1, 0, nan, math.Inf(-1)}[c.rnd.Intn(4)] }) // ties
			}
			if variant&2 > 0 {
				args.Pred = c.outInt(n)
			}
			args.Correct = c.output(c.list([]int{100, 1000}), 0)
			c.run(args)
		}
	}
}
