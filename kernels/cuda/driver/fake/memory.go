package fake

import (
	"unsafe"

	"artel/kernels/cuda/driver"
)

func (d *Driver) alloc(n int64) (*block, error) {
	if n <= 0 {
		return nil, d.refuse(driver.InvalidValue, "%d bytes", n)
	}
	words := make([]uint64, (n+7)/8)
	b := &block{base: d.next, data: unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), n)}
	d.next += driver.Ptr((n + 511) / 256 * 256) // a gap, so that the next address is never inside
	d.blocks = append(d.blocks, b)
	return b, nil
}

func (d *Driver) release(p driver.Ptr) error {
	for i, b := range d.blocks {
		if b.base == p {
			d.blocks = append(d.blocks[:i], d.blocks[i+1:]...)
			return nil
		}
	}
	return d.refuse(driver.InvalidValue, "%#x is no allocation", uint64(p))
}

// Bytes returns the n bytes of device memory at p.
func (d *Driver) Bytes(p driver.Ptr, n int64) ([]byte, error) {
	for _, b := range d.blocks {
		if p >= b.base && int64(p-b.base)+n <= int64(len(b.data)) {
			return b.data[p-b.base:][:n], nil
		}
	}
	return nil, d.refuse(driver.InvalidValue, "%#x: %d bytes outside of every allocation", uint64(p), n)
}

// move copies between the host and the device, or inside the device.
func (d *Driver) move(s driver.Stream, n int64, dst, src func() ([]byte, error)) error {
	return d.queue(s, func() error {
		to, err := dst()
		if err != nil {
			return err
		}
		from, err := src()
		if err == nil {
			copy(to[:n], from[:n])
		}
		return err
	})
}

func (d *Driver) at(p driver.Ptr, n int64) func() ([]byte, error) {
	return func() ([]byte, error) { return d.Bytes(p, n) }
}

func host(p unsafe.Pointer, n int64) func() ([]byte, error) {
	return func() ([]byte, error) { return unsafe.Slice((*byte)(p), n), nil }
}

// pinned refuses the host side of an asynchronous copy outside of HostAlloc.
func (d *Driver) pinned(p unsafe.Pointer, n int64) error {
	for _, b := range d.blocks {
		if off := uintptr(p) - uintptr(b.host); b.host != nil && uintptr(p) >= uintptr(b.host) && int64(off)+n <= int64(len(b.data)) {
			return nil
		}
	}
	return d.refuse(driver.InvalidValue, "the host side is not page-locked")
}

func (d *Driver) memory() driver.Memory {
	alloc := func(n int64) (driver.Ptr, error) {
		b, err := d.alloc(n)
		if err != nil {
			return 0, err
		}
		return b.base, nil
	}
	return driver.Memory{
		MemAlloc: func(n int64) (driver.Ptr, error) {
			if err := d.call("cuMemAlloc", "%d", n); err != nil {
				return 0, err
			}
			return alloc(n)
		},
		MemFree: func(p driver.Ptr) error {
			if err := d.call("cuMemFree", ""); err != nil {
				return err
			}
			return d.release(p)
		},
		MemAllocAsync: func(n int64, s driver.Stream) (driver.Ptr, error) {
			if err := d.call("cuMemAllocAsync", "%d stream %d", n, s); err != nil {
				return 0, err
			}
			return alloc(n)
		},
		MemFreeAsync: func(p driver.Ptr, s driver.Stream) error {
			if err := d.call("cuMemFreeAsync", "stream %d", s); err != nil {
				return err
			}
			return d.queue(s, func() error { return d.release(p) })
		},
		HostAlloc: func(n int64) (driver.Host, error) {
			if err := d.call("cuMemHostAlloc", "%d", n); err != nil {
				return driver.Host{}, err
			}
			b, err := d.alloc(n)
			if err != nil {
				return driver.Host{}, err
			}
			b.host = unsafe.Pointer(unsafe.SliceData(b.data))
			return driver.Host{Addr: b.host, Dev: b.base, Size: n}, nil
		},
		HostFree: func(h driver.Host) error {
			if err := d.call("cuMemFreeHost", ""); err != nil {
				return err
			}
			return d.release(h.Dev)
		},
		MemcpyHtoD: func(dst driver.Ptr, src unsafe.Pointer, n int64) error {
			if err := d.call("cuMemcpyHtoD", "%d", n); err != nil {
				return err
			}
			if err := d.idle(); err != nil {
				return err
			}
			return d.move(0, n, d.at(dst, n), host(src, n))
		},
		MemcpyDtoH: func(dst unsafe.Pointer, src driver.Ptr, n int64) error {
			if err := d.call("cuMemcpyDtoH", "%d", n); err != nil {
				return err
			}
			if err := d.idle(); err != nil {
				return err
			}
			return d.move(0, n, host(dst, n), d.at(src, n))
		},
		MemcpyHtoDAsync: func(dst driver.Ptr, src unsafe.Pointer, n int64, s driver.Stream) error {
			if err := d.call("cuMemcpyHtoDAsync", "%d stream %d", n, s); err != nil {
				return err
			}
			if err := d.pinned(src, n); err != nil {
				return err
			}
			return d.move(s, n, d.at(dst, n), host(src, n))
		},
		MemcpyDtoHAsync: func(dst unsafe.Pointer, src driver.Ptr, n int64, s driver.Stream) error {
			if err := d.call("cuMemcpyDtoHAsync", "%d stream %d", n, s); err != nil {
				return err
			}
			if err := d.pinned(dst, n); err != nil {
				return err
			}
			return d.move(s, n, host(dst, n), d.at(src, n))
		},
		MemcpyDtoDAsync: func(dst, src driver.Ptr, n int64, s driver.Stream) error {
			if err := d.call("cuMemcpyDtoDAsync", "%d stream %d", n, s); err != nil {
				return err
			}
			return d.move(s, n, d.at(dst, n), d.at(src, n))
		},
		MemsetD8Async: func(dst driver.Ptr, v uint8, n int64, s driver.Stream) error {
			if err := d.call("cuMemsetD8Async", "%d value %d stream %d", n, v, s); err != nil {
				return err
			}
			return d.queue(s, func() error {
				b, err := d.Bytes(dst, n)
				for i := range b {
					b[i] = v
				}
				return err
			})
		},
		MemsetD32Async: func(dst driver.Ptr, v uint32, n int64, s driver.Stream) error {
			if err := d.call("cuMemsetD32Async", "%d value %d stream %d", n, v, s); err != nil {
				return err
			}
			return d.queue(s, func() error {
				b, err := d.Bytes(dst, 4*n)
				for i := range b {
					b[i] = byte(v >> (8 * (i % 4)))
				}
				return err
			})
		},
	}
}
