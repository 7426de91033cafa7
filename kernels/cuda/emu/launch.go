package emu

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// Launch runs the kernel on every block of the grid and returns when all are done. dynamic is the bytes of dynamic shared memory; params is the
// parameter block, laid out as Params says (see Pack).
//
// The error is a *Fault when the kernel did what it may not: the one of the lowest block, whatever the number of workers. Counters are filled up to the fault.
func (f *Function) Launch(grid, dim Dim3, dynamic int, params []byte) (Counters, error) {
	if err := f.check(grid, dim, dynamic, params); err != nil {
		return Counters{}, err
	}
	total := grid.count()
	workers := min(f.mod.dev.opts.Workers, total)
	shared := f.sharedBytes(dynamic)
	blocks := make([]*block, workers)
	launch := f.mod.dev.launches.Add(1) & (1<<31 - 1)
	var next, stop atomic.Int64
	stop.Store(int64(total))
	faults := make([]int64, workers)
	var wg sync.WaitGroup
	for i := range blocks {
		b := newBlock(f, grid, dim, shared, params)
		b.launch = launch
		blocks[i] = b
		wg.Go(func() {
			// Blocks begin in order, so one that waits for those before it can go on.
			for {
				n := next.Add(1) - 1
				if n >= stop.Load() {
					return
				}
				if b.run(int(n)); b.fault != nil {
					faults[i] = n
					for s := stop.Load(); n < s && !stop.CompareAndSwap(s, n); s = stop.Load() {
					}
					return
				}
			}
		})
	}
	wg.Wait()
	var c Counters
	var err error
	first := int64(total)
	for i, b := range blocks {
		c.Add(b.counters())
		if b.fault != nil && faults[i] < first {
			first, err = faults[i], b.fault
		}
	}
	if f.mod.dev.opts.Profile {
		c.Footprint = f.mod.dev.mem.footprint()
	}
	return c, err
}

func (f *Function) check(grid, dim Dim3, dynamic int, params []byte) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("emu: launch of %s: %s", f.name, fmt.Sprintf(format, args...))
	}
	if grid.X < 1 || grid.Y < 1 || grid.Z < 1 || grid.X > 1<<31-1 || grid.Y > 65535 || grid.Z > 65535 {
		return bad("grid %v, want 1 to (2147483647, 65535, 65535)", grid)
	}
	if dim.X < 1 || dim.Y < 1 || dim.Z < 1 || dim.X > 1024 || dim.Y > 1024 || dim.Z > 64 || dim.count() > f.MaxThreads() {
		return bad("block %v, want at most %d threads", dim, f.MaxThreads())
	}
	if r := f.asm.Required; r[0] > 0 && (dim != Dim3{r[0], r[1], r[2]}) {
		return bad("block %v, want %v as .reqntid says", dim, r)
	}
	if c := f.asm.Cluster; c[0]*c[1]*c[2] > 1 {
		return bad("clusters of %v blocks are not supported, want 1", c)
	}
	if dynamic < 0 || f.sharedBytes(dynamic) > f.mod.dev.SharedLimit() {
		return bad("%d bytes of dynamic shared memory and %d static, want at most %d in all", dynamic, f.shared, f.mod.dev.SharedLimit())
	}
	if len(params) != f.asm.ParamSize {
		return bad("%d bytes of parameters, want %d", len(params), f.asm.ParamSize)
	}
	return nil
}

// sharedBytes is the shared memory of a block.
func (f *Function) sharedBytes(dynamic int) int {
	if f.dynamic < 0 {
		return f.shared + dynamic
	}
	return f.dynamic + dynamic
}

// counters sums what the worker's blocks did.
func (b *block) counters() Counters {
	c := b.count
	for i := range b.prof {
		p := &b.prof[i]
		c.Warps += p.warps
		c.Threads += p.threads
		c.ByClass[b.fn.code[i].class] += p.threads
	}
	return c
}
