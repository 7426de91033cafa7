package pool_test

import (
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

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

// TestFollowsGOMAXPROCS: a pool without a number of its own has as many workers as the process may use, also when that changes.
func TestFollowsGOMAXPROCS(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	own, fixed := pool.New(0), pool.New(3)
	for _, procs := range []int{2, 5, 1, 4} {
		runtime.GOMAXPROCS(procs)
		var sum atomic.Int64
		for _, p := range []*pool.Pool{own, fixed} {
			p.Run(100, 1, func(lo, hi int) { sum.Add(int64(lo)) })
		}
		if sum.Load() != 2*4950 {
			t.Errorf("GOMAXPROCS %d: the loops add up to %d, want %d", procs, sum.Load(), 2*4950)
		}
		if own.Workers() != procs || fixed.Workers() != 3 {
			t.Errorf("GOMAXPROCS %d: %d workers, want as many; and %d of a pool of 3", procs, own.Workers(), fixed.Workers())
		}
	}
}

// TestNoGoroutines: loops start no goroutine, whether helpers are awake or parked.
func TestNoGoroutines(t *testing.T) {
	p := pool.New(3)
	created := []metrics.Sample{{Name: "/sched/goroutines-created:goroutines"}}
	metrics.Read(created)
	before := created[0].Value.Uint64()
	for i := range 50 {
		if i%10 == 0 {
			time.Sleep(2 * time.Millisecond) // helpers park
		}
		p.Run(64, 4, func(lo, hi int) {})
	}
	metrics.Read(created)
	if n := created[0].Value.Uint64() - before; n != 0 {
		t.Errorf("50 loops started %d goroutines", n)
	}
}

func BenchmarkRunLatency(b *testing.B) {
	p := pool.New(2)
	f := func(lo, hi int) {}
	for i := 0; i < b.N; i++ {
		p.Run(2, 1, f)
	}
}

// TestWaitsParked: who waits for the other workers for long leaves the processor to others.
func TestWaitsParked(t *testing.T) {
	p := pool.New(2)
	const nap = 20 * time.Millisecond
	before := cpuTime(t)
	for range 10 {
		var first atomic.Bool
		p.Run(2, 1, func(_, _ int) {
			if first.CompareAndSwap(false, true) {
				time.Sleep(nap)
			}
		})
	}
	if used := cpuTime(t) - before; used > 5*nap {
		t.Errorf("ten loops that sleep %v used %v of processors", nap, used)
	}
}

// cpuTime is the processor time that the process has used.
func cpuTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestPanicOfCaller: Run returns a panic of the caller's own chunk only when the helpers have finished theirs.
func TestPanicOfCaller(t *testing.T) {
	p := pool.New(3)
	for range 20 {
		var running atomic.Int32
		func() {
			defer func() { _ = recover() }()
			p.Run(64, 1, func(lo, _ int) {
				running.Add(1)
				defer running.Add(-1)
				if lo == 0 {
					panic("first chunk")
				}
				time.Sleep(100 * time.Microsecond)
			})
		}()
		if n := running.Load(); n != 0 {
			t.Fatalf("%d chunks still run after Run", n)
		}
	}
}
