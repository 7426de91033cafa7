package pool_test

import (
	"sync/atomic"
	"testing"

	"artel/kernels/cpu/internal/pool"
)

func TestEveryChunkOnce(t *testing.T) {
	p := pool.New(3)
	for _, n := range []int{0, 1, 7, 64, 1000} {
		for _, grain := range []int{1, 3, 64} {
			for _, w := range []int{1, 2, 8, 3} {
				p.SetWorkers(w)
				hits := make([]int32, n)
				p.Run(n, grain, func(lo, hi int) {
					if hi-lo > grain || lo%grain != 0 {
						t.Errorf("chunk [%d,%d) with grain %d", lo, hi, grain)
					}
					for i := lo; i < hi; i++ {
						atomic.AddInt32(&hits[i], 1)
					}
				})
				for i, h := range hits {
					if h != 1 {
						t.Fatalf("n %d grain %d workers %d: index %d ran %d times", n, grain, w, i, h)
					}
				}
			}
		}
	}
}

func TestNestedAndPanic(t *testing.T) {
	p := pool.New(4)
	var sum atomic.Int64
	p.Run(8, 1, func(lo, hi int) {
		p.Run(10, 2, func(lo, hi int) { sum.Add(int64(hi - lo)) })
	})
	if sum.Load() != 80 {
		t.Errorf("nested loops ran %d of 80", sum.Load())
	}
	defer func() {
		if r := recover(); r != "boom" {
			t.Errorf("recovered %v, want the panic of the chunk", r)
		}
	}()
	for { // a helper takes one of the chunks sooner or later
		var caller atomic.Int32
		p.Run(64, 1, func(lo, _ int) {
			if caller.Add(1) > 32 {
				panic("boom")
			}
		})
	}
}

func TestNoAllocations(t *testing.T) {
	p := pool.New(2)
	var x [64]int
	f := func(lo, hi int) {
		for i := lo; i < hi; i++ {
			x[i]++
		}
	}
	if n := testing.AllocsPerRun(200, func() { p.Run(64, 4, f) }); n != 0 {
		t.Errorf("%v allocations per Run", n)
	}
}

func BenchmarkRunLatency(b *testing.B) {
	p := pool.New(2)
	f := func(lo, hi int) {}
	for i := 0; i < b.N; i++ {
		p.Run(2, 1, f)
	}
}
