package cuda

import (
	"fmt"
	"runtime"
	"slices"

	"artel/dtype"
	"artel/kernels/cuda/driver"
	"artel/tensor"
)

// alloc returns zeroed memory of the device. It is freed when nothing describes it any more and the stream has passed. Memory that
// cannot be had is a panic with the driver's error: sizes are planned before a run.
func (d *device) alloc(t dtype.Type, n int) *tensor.Storage {
	defer d.enter()()
	d.flush()
	d.reclaim()
	size := int64(max(n*t.Size(), 1)+255) &^ 255
	p, err := d.api.MemAlloc(size)
	if err == nil {
		d.tickets.behind = true
		err = d.api.MemsetD8Async(p, 0, size, d.stream)
	}
	if err != nil {
		panic(fmt.Errorf("cuda: %d MiB on %s: %w", size>>20, d.name, err))
	}
	d.blocks = append(d.blocks, p)
	st := tensor.Device(t, n, uint64(p))
	runtime.AddCleanup(st, d.retire, p)
	return st
}

// allocShared returns zeroed page-locked host memory that kernels reach too.
func (d *device) allocShared(t dtype.Type, n int) *tensor.Storage {
	defer d.enter()()
	d.flush()
	d.reclaim()
	h := d.hostAlloc(int64(max(n*t.Size(), 1)+255) &^ 255)
	clear(bytesAt(h.Addr, h.Size))
	st := tensor.Shared(t, n, h.Addr, uint64(h.Dev))
	runtime.AddCleanup(st, d.retireHost, h)
	return st
}

func (d *device) hostAlloc(size int64) driver.Host {
	h, err := d.api.HostAlloc(size)
	if err != nil {
		panic(fmt.Errorf("cuda: %d MiB of page-locked host memory: %w", size>>20, err))
	}
	d.hosts = append(d.hosts, h)
	return h
}

// retire notes memory that nothing describes any more. It runs on a thread of the garbage collector, which makes no driver calls.
func (d *device) retire(p driver.Ptr) {
	d.mu.Lock()
	d.retired = append(d.retired, p)
	d.mu.Unlock()
}

func (d *device) retireHost(h driver.Host) {
	d.mu.Lock()
	d.unused = append(d.unused, h)
	d.mu.Unlock()
}

// reclaim frees retired memory; MemFree waits for work that may still use it.
func (d *device) reclaim() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.retired {
		if i := slices.Index(d.blocks, p); i >= 0 {
			d.blocks = slices.Delete(d.blocks, i, i+1)
			d.fail(d.api.MemFree(p))
		}
	}
	for _, h := range d.unused {
		if i := slices.Index(d.hosts, h); i >= 0 {
			d.hosts = slices.Delete(d.hosts, i, i+1)
			d.fail(d.api.HostFree(h))
		}
	}
	d.retired, d.unused = d.retired[:0], d.unused[:0]
}
