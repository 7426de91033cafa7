package provider

import (
	"encoding/binary"
	"unsafe"

	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/emu"
)

// bytesAt is n bytes of the host's memory.
func bytesAt(p unsafe.Pointer, n int64) []byte { return unsafe.Slice((*byte)(p), n) }

func (d *Driver) memory() driver.Memory {
	return driver.Memory{
		MemAlloc: func(n int64) (driver.Ptr, error) { return d.alloc("cuMemAlloc", n) },
		MemFree: func(p driver.Ptr) error {
			_ = d.before() // memory can be freed after a fault
			return d.free("cuMemFree", p)
		},
		MemAllocAsync: d.allocAsync,
		MemFreeAsync: func(p driver.Ptr, s driver.Stream) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			return d.queue(s, op{"cuMemFreeAsync", 0, func() error { return d.free("cuMemFreeAsync", p) }})
		},
		HostAlloc: d.hostAlloc,
		HostFree:  d.hostFree,
		MemcpyHtoD: func(dst driver.Ptr, src unsafe.Pointer, n int64) error {
			if err := d.before(); err != nil {
				return err
			}
			return invalid("cuMemcpyHtoD", d.dev.CopyIn(emu.Ptr(dst), bytesAt(src, n)))
		},
		MemcpyDtoH: func(dst unsafe.Pointer, src driver.Ptr, n int64) error {
			if err := d.before(); err != nil {
				return err
			}
			return invalid("cuMemcpyDtoH", d.dev.CopyOut(bytesAt(dst, n), emu.Ptr(src)))
		},
		MemcpyHtoDAsync: func(dst driver.Ptr, src unsafe.Pointer, n int64, s driver.Stream) error {
			return d.async("cuMemcpyHtoDAsync", s, func() error { return d.dev.CopyIn(emu.Ptr(dst), bytesAt(src, n)) })
		},
		MemcpyDtoHAsync: func(dst unsafe.Pointer, src driver.Ptr, n int64, s driver.Stream) error {
			return d.async("cuMemcpyDtoHAsync", s, func() error { return d.dev.CopyOut(bytesAt(dst, n), emu.Ptr(src)) })
		},
		MemcpyDtoDAsync: func(dst, src driver.Ptr, n int64, s driver.Stream) error {
			return d.async("cuMemcpyDtoDAsync", s, func() error { return d.dev.Copy(emu.Ptr(dst), emu.Ptr(src), n) })
		},
		MemsetD8Async: func(dst driver.Ptr, v uint8, n int64, s driver.Stream) error {
			return d.async("cuMemsetD8Async", s, func() error { return d.dev.Fill(emu.Ptr(dst), v, n) })
		},
		MemsetD32Async: func(dst driver.Ptr, v uint32, n int64, s driver.Stream) error {
			return d.async("cuMemsetD32Async", s, func() error { return d.fill32(emu.Ptr(dst), v, n) })
		},
	}
}

// before runs what waits, ahead of a call that synchronises; without Defer nothing does.
func (d *Driver) before() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.late {
		return nil
	}
	return d.flush()
}

// fill32 sets n words.
func (d *Driver) fill32(dst emu.Ptr, v uint32, n int64) error {
	if b := uint8(v); v == uint32(b)*0x01010101 {
		return d.dev.Fill(dst, b, 4*n)
	}
	buf := make([]byte, 0, 4*n)
	for range n {
		buf = binary.LittleEndian.AppendUint32(buf, v)
	}
	return d.dev.CopyIn(dst, buf)
}

func invalid(call string, err error) error {
	if err != nil {
		return fail(call, driver.InvalidValue, "%v", err)
	}
	return nil
}

func (d *Driver) async(call string, s driver.Stream, f func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.queue(s, op{call, 0, func() error { return invalid(call, f()) }})
}

func (d *Driver) alloc(call string, n int64) (driver.Ptr, error) {
	p, err := d.dev.Alloc(n)
	if err != nil {
		code := driver.OutOfMemory
		if n <= 0 {
			code = driver.InvalidValue
		}
		return 0, fail(call, code, "%v", err)
	}
	return driver.Ptr(p), nil
}

func (d *Driver) free(call string, p driver.Ptr) error {
	if p == 0 {
		return nil
	}
	return invalid(call, d.dev.Free(emu.Ptr(p)))
}

// allocAsync allocates at once; inside a capture the driver would make it a node of the graph, which is refused.
func (d *Driver) allocAsync(n int64, s driver.Stream) (driver.Ptr, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.tapes[s] != nil {
		return 0, fail("cuMemAllocAsync", driver.CaptureUnsupported, "allocation inside a capture")
	}
	if err := d.known("cuMemAllocAsync", s); err != nil {
		return 0, err
	}
	return d.alloc("cuMemAllocAsync", n)
}

// hostAlloc gives memory that the host and kernels both reach.
func (d *Driver) hostAlloc(n int64) (driver.Host, error) {
	p, err := d.alloc("cuMemHostAlloc", n)
	if err != nil {
		return driver.Host{}, err
	}
	b, err := d.dev.HostView(emu.Ptr(p))
	if err != nil {
		return driver.Host{}, invalid("cuMemHostAlloc", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	addr := unsafe.Pointer(unsafe.SliceData(b))
	d.hosts[addr] = emu.Ptr(p)
	return driver.Host{Addr: addr, Dev: p, Size: n}, nil
}

func (d *Driver) hostFree(h driver.Host) error {
	_ = d.before()
	d.mu.Lock()
	p, ok := d.hosts[h.Addr]
	delete(d.hosts, h.Addr)
	d.mu.Unlock()
	if !ok {
		return fail("cuMemFreeHost", driver.InvalidValue, "not the start of host memory")
	}
	return d.free("cuMemFreeHost", driver.Ptr(p))
}
