package kerneltest

import (
	"math"

	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

// matrixShapes are [N,D] shapes for row-wise ops: none, one, around vector widths, primes, and a model's sizes.
var matrixShapes = [][2]int{
	{0, 8}, {1, 1}, {1, 7}, {3, 8}, {5, 15}, {2, 16}, {4, 17}, {7, 31}, {3, 32}, {13, 33}, {17, 3}, {33, 64}, {6, 127},
	{2, 1031}, {64, 96}, {257, 48},
}

func testAlloc(s *suite) {
	for _, d := range []dtype.Type{s.b.Float, dtype.F64, dtype.I32} {
		for _, n := range []int{0, 1, 1000} {
			st := s.b.Alloc(d, n)
			if st.Type != d || st.Len != n {
				s.t.Fatalf("Alloc(%v, %d) = %v, %d", d, n, st.Type, st.Len)
			}
			c := s.newCase(0, "Alloc")
			host := tensor.NewHost(d, n)
			convert(host, fullOf(d, n))
			c.move(host, st)
			for i := 0; i < n; i++ {
				if v := whole(host)(i); v != 0 {
					s.t.Fatalf("Alloc(%v, %d): element %d is %v, want 0", d, n, i, v)
				}
			}
		}
	}
}

// testAllocShared checks that the host and ops reach the same zeroed memory.
func testAllocShared(s *suite) {
	for _, d := range []dtype.Type{dtype.F64, dtype.I32} {
		for _, n := range []int{0, 1, 1000} {
			st := s.b.AllocShared(d, n)
			if st.Type != d || st.Len != n || !st.OnHost() {
				s.t.Fatalf("AllocShared(%v, %d) = %v, %d, on the host %v", d, n, st.Type, st.Len, st.OnHost())
			}
			x, set := tensor.Of(st, 0, n), setter(tensor.Of(st, 0, n))
			for i := range n {
				if v := whole(st)(i); v != 0 {
					s.t.Fatalf("AllocShared(%v, %d): element %d is %v, want 0", d, n, i, v)
				}
				set(i, float64(i))
			}
			y := s.b.NewShared(d, n)
			s.b.Copy(kernels.Copy{Dst: y, Src: x})
			s.b.Fill(x, 7)
			if err := s.b.Sync(); err != nil {
				s.t.Fatalf("AllocShared(%v, %d): %v", d, n, err)
			}
			for i := range n {
				if v, w := whole(st)(i), whole(y.Storage())(i); v != 7 || w != float64(i) {
					s.t.Fatalf("AllocShared(%v, %d): element %d is %v and its copy %v, want 7 and %d", d, n, i, v, w, i)
				}
			}
		}
	}
}

// fullOf returns a host storage of ones.
func fullOf(d dtype.Type, n int) *tensor.Storage {
	st := tensor.NewHost(d, n)
	set := setter(tensor.Of(st, 0, n))
	for i := 0; i < n; i++ {
		set(i, 1)
	}
	return st
}

func testSync(s *suite) {
	for i := 0; i < 2; i++ {
		if err := s.b.Sync(); err != nil {
			s.t.Fatalf("Sync without an op: %v", err)
		}
	}
}

// testSubmit checks that what a ticket stands for is there once it was waited for, while later ops follow.
func testSubmit(s *suite) {
	x, y := s.b.NewShared(dtype.I32, 1000), s.b.NewShared(dtype.I32, 1000)
	last := uint64(0)
	for i := range 20 {
		s.b.Fill(x, float64(i))
		s.b.Copy(kernels.Copy{Dst: y, Src: x})
		ticket := s.b.Submit()
		s.b.Fill(x, -1)
		if ticket < last {
			s.t.Fatalf("ticket %d after %d", ticket, last)
		}
		last = ticket
		if err := s.b.Wait(ticket); err != nil {
			s.t.Fatalf("Wait: %v", err)
		}
		for j, v := range y.I32() {
			if v != int32(i) {
				s.t.Fatalf("round %d: element %d is %d", i, j, v)
			}
		}
	}
	for _, ticket := range []uint64{0, last} {
		if err := s.b.Wait(ticket); err != nil {
			s.t.Fatalf("Wait for an old ticket: %v", err)
		}
	}
}

// testCall has the host change numbers between ops, several times in a row, without a wait in between.
func testCall(s *suite) {
	const n = 1000
	own, sum := s.b.New(s.b.Float, n), s.b.New(s.b.Float, n)
	x, y, factor := s.b.NewShared(dtype.F64, n), s.b.NewShared(dtype.F64, n), s.b.NewShared(dtype.F64, 1)
	add := func() {
		for i, v := range x.F64() {
			y.F64()[i] = v + float64(i)
		}
		factor.F64()[0] = 7
	}
	twice := func() {
		for i := range y.F64() {
			y.F64()[i] *= 2
		}
		factor.F64()[0] = 0.5
	}
	for round := range 3 {
		s.b.Fill(own, float64(round))
		for range 4 {
			s.b.Copy(kernels.Copy{Dst: x, Src: own})
			s.b.Call(add)
			s.b.Call(twice)
			s.b.Copy(kernels.Copy{Dst: sum, Src: y})
			s.b.Axpy(kernels.Axpy{Dst: own, Src: sum, Alpha: 1, By: factor, Accumulate: true})
			s.b.Fill(y, -1)
		}
		got := s.b.NewShared(dtype.F64, n)
		s.b.Copy(kernels.Copy{Dst: got, Src: own})
		err := s.b.Wait(s.b.Submit())
		if round == 2 {
			err = s.b.Sync()
		}
		if err != nil {
			s.t.Fatal(err)
		}
		for i, v := range got.F64() {
			if want := float64(16*round + 15*i); v != want {
				s.t.Fatalf("round %d: element %d is %v, want %v", round, i, v, want)
			}
		}
	}
}

// testNotes: what the compiler said is told once.
func testNotes(s *suite) {
	s.b.Notes()
	if again := s.b.Notes(); len(again) > 0 {
		s.t.Errorf("told twice: %q", again)
	}
}

func testFill(s *suite) {
	for _, d := range []dtype.Type{s.b.Float, dtype.F64, dtype.I32, dtype.BF16} {
		for _, v := range []float64{0, -3, 7} {
			for _, gap := range []int{0, 5} {
				for _, shape := range [][]int{{0}, {1}, {33}, {5, 7}, {3, 0}, {2, 3, 5}, {2, 3, 4, 17}} {
					c := s.newCase(gap, "%v of %v with %v", shape, d, v)
					c.typed = true
					c.run(fillArgs{c.output(c.ofType(d, shape...), 0), v})
					if len(shape) == 2 {
						c = s.newCase(gap, "transposed %v of %v", shape, d)
						c.typed = true
						c.run(fillArgs{c.output(c.ofType(d, shape...), 0).T(), v})
					}
				}
			}
		}
	}
	c := s.newCase(0, "half")
	c.run(fillArgs{c.out(false, 0, 9), 0.5})
	c = s.newCase(0, "NaN")
	c.run(fillArgs{c.out(true, 0, 9), nan})
}

// ofType returns a tensor of small numbers.
func (c *testCase) ofType(d dtype.Type, shape ...int) tensor.Tensor {
	return c.fill(c.alloc(d, shape...), func(int) float64 { return float64(c.rnd.Intn(9) - 4) })
}

// copyTypes are the conversions that programs need: the same type, to and from float32 and float64, to and from bfloat16.
var copyTypes = [][2]dtype.Type{
	{dtype.F32, dtype.F32}, {dtype.F64, dtype.F64}, {dtype.I32, dtype.I32}, {dtype.BF16, dtype.BF16},
	{dtype.F32, dtype.F64}, {dtype.F64, dtype.F32}, {dtype.F32, dtype.BF16}, {dtype.BF16, dtype.F32},
	{dtype.F64, dtype.BF16}, {dtype.BF16, dtype.F64},
}

func testCopy(s *suite) {
	for _, d := range copyTypes {
		for _, shape := range [][]int{{0}, {1}, {37}, {5, 7}, {33, 65}, {3, 4, 5}, {2, 3, 4, 17}} {
			for _, gap := range []int{0, 3} {
				for _, perm := range []bool{false, true} {
					c := s.newCase(gap, "%v to %v %v permuted=%v", d[1], d[0], shape, perm)
					c.typed = true
					dst := c.output(c.ofType(d[0], shape...), 0)
					if perm && len(shape) > 1 { // the last two dimensions of the source come transposed
						n := len(shape)
						from := append([]int(nil), shape...)
						from[n-1], from[n-2] = from[n-2], from[n-1]
						c.run(kernels.Copy{Dst: dst, Src: c.hard(d[1], from...).Swap(n-1, n-2)})
						continue
					}
					c.run(kernels.Copy{Dst: dst, Src: c.hard(d[1], shape...)})
				}
			}
		}
	}
	c := s.newCase(0, "repeated row")
	dst := c.out(false, 0, 4, 33)
	c.run(kernels.Copy{Dst: dst, Src: c.float(33).Strided([]int{4, 33}, []int{0, 1})})
}

// hard returns numbers that are hard to round: ties, values next to ties, subnormal, huge and special ones, normal ones.
func (c *testCase) hard(d dtype.Type, shape ...int) tensor.Tensor {
	special := []float64{
		1 + 0x1p-8, 1 + 3*0x1p-8, 1 + 0x1p-8 + 0x1p-40, 1 + 3*0x1p-8 - 0x1p-40, 1 + 0x1p-24, 1 + 3*0x1p-24, 1 + 0x1p-24 + 0x1p-50,
		-0x1p-126, 0x1p-133, 0x1.8p-149, -0x1p-150, 0x1.fffffep127, 0x1.ffffffp127, 0x1.ffp127, -0x1p300,
		math.Inf(1), math.Inf(-1), nan, 0, math.Copysign(0, -1),
	}
	return c.fill(c.alloc(d, shape...), func(i int) float64 {
		if d == dtype.I32 {
			return float64(int32(c.rnd.Uint64()))
		}
		if i%2 == 0 {
			return special[i/2%len(special)]
		}
		return c.normal()
	})
}

func testAxpy(s *suite) {
	for _, shape := range matrixShapes {
		for _, acc := range []bool{false, true} {
			for _, gap := range []int{0, 3} {
				c := s.newCase(gap, "%v acc=%v", shape, acc)
				c.run(kernels.Axpy{Dst: c.out(acc, 2, shape[:]...), Src: c.float(shape[:]...), Alpha: -1.7, By: c.by(shape[1]), Accumulate: acc})
			}
			c := s.newCase(0, "vector %d acc=%v", shape[1], acc)
			c.run(kernels.Axpy{Dst: c.out(acc, 2, shape[1]), Src: c.float(shape[1]), Alpha: 0.3, Accumulate: acc})
		}
	}
	c := s.newCase(0, "NaN and infinity")
	c.run(kernels.Axpy{Dst: c.out(true, 2, 40), Src: c.poison(c.float(40)), Alpha: 2, Accumulate: true})
}

// poison puts NaN and both infinities between the elements of x.
func (c *testCase) poison(x tensor.Tensor) tensor.Tensor {
	set, n := setter(x), 0
	eachPosition(x, func(at int) {
		switch n % 11 {
		case 3:
			set(at, nan)
		case 6:
			set(at, math.Inf(1))
		case 10:
			set(at, math.Inf(-1))
		}
		n++
	})
	return x
}

// rowsOf returns n random rows of [0,rows), about a tenth of them -1 when negative is set.
func (c *testCase) rowsOf(n, rows int, negative bool) tensor.Tensor {
	return c.ints(func(int) int {
		if rows == 0 || negative && c.rnd.Intn(10) == 0 {
			return -1
		}
		return c.rnd.Intn(rows)
	}, n)
}

func testGatherRows(s *suite) {
	for _, shape := range matrixShapes {
		for _, gap := range []int{0, 3} {
			n := shape[0]*3/2 + 1
			c := s.newCase(gap, "%d of %v", n, shape)
			c.run(kernels.GatherRows{
				Dst: c.out(false, 0, n, shape[1]), Src: c.float(shape[:]...), Index: c.rowsOf(n, shape[0], true)})
			c = s.newCase(gap, "%d of I32 %v", n, shape)
			src := c.ints(func(i int) int { return i*7919 - 1000 }, shape[:]...)
			c.run(kernels.GatherRows{Dst: c.outInt(n, shape[1]), Src: src, Index: c.rowsOf(n, shape[0], true)})
		}
	}
	c := s.newCase(0, "no index")
	c.run(kernels.GatherRows{Dst: c.out(false, 0, 0, 5), Src: c.float(3, 5), Index: c.list(nil)})
	c = s.newCase(0, "NaN and infinity")
	c.run(kernels.GatherRows{Dst: c.out(false, 0, 5, 23), Src: c.poison(c.float(3, 23)), Index: c.rowsOf(5, 3, true)})
}

func testScatterRows(s *suite) {
	for _, shape := range matrixShapes {
		for _, gap := range []int{0, 3} {
			n := shape[0]*3/2 + 1
			c := s.newCase(gap, "%d to %v", n, shape)
			index := c.rowsOf(n, shape[0], true)
			c.run(kernels.ScatterRows{Dst: c.out(true, 8, shape[:]...), Src: c.float(n, shape[1]), Index: index})
			c = s.newCase(gap, "integers %d to %v", n, shape)
			index = c.rowsOf(n, min(shape[0], 3), true)
			c.run(kernels.ScatterRows{Dst: c.out(true, 0, shape[:]...), Src: c.small(n, shape[1]), Index: index})
		}
	}
}

func testGatherCols(s *suite) {
	for _, shape := range matrixShapes {
		if shape[1] == 0 {
			continue
		}
		for _, gap := range []int{0, 3} {
			n := shape[1]*3/2 + 1
			c := s.newCase(gap, "%d of %v", n, shape)
			c.run(kernels.GatherCols{
				Dst: c.out(false, 0, shape[0], n), Src: c.float(shape[:]...), Index: c.rowsOf(n, shape[1], false)})
		}
	}
	c := s.newCase(0, "NaN and infinity")
	c.run(kernels.GatherCols{Dst: c.out(false, 0, 5, 9), Src: c.poison(c.float(5, 23)), Index: c.rowsOf(9, 23, false)})
}

func testScatterCols(s *suite) {
	for _, shape := range matrixShapes {
		if shape[1] == 0 {
			continue
		}
		for _, gap := range []int{0, 3} {
			for _, acc := range []bool{false, true} {
				n := shape[1]*3/2 + 1
				c := s.newCase(gap, "%d of %v, accumulate %v", n, shape, acc)
				c.run(kernels.ScatterCols{
					Dst: c.out(acc, 8, shape[:]...), Src: c.float(shape[0], n), Index: c.rowsOf(n, shape[1], false), Accumulate: acc})
			}
		}
	}
	c := s.newCase(0, "runs of columns")
	index := c.ints(func(j int) int { return j%20 + j/20*7 }, 60)
	c.run(kernels.ScatterCols{Dst: c.out(false, 8, 3, 40), Src: c.float(3, 60), Index: index})
}
