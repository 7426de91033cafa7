package emu

import (
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Dim3 is the size of a grid or a block, or a place in one.
type Dim3 struct{ X, Y, Z int }

// count returns the product.
func (d Dim3) count() int { return d.X * d.Y * d.Z }

// at returns the place with the given index, X fastest.
func (d Dim3) at(i int) Dim3 { return Dim3{i % d.X, i / d.X % d.Y, i / d.X / d.Y} }

// Device is an emulated accelerator. Its methods may be called from several goroutines; what two launches at the same time do to the same memory is theirs to order.
type Device struct {
	opts     Options
	mem      *arena
	launches atomic.Uint64
	printing sync.Mutex
}

// New makes a device.
func New(opts Options) *Device {
	opts = opts.filled()
	return &Device{opts: opts, mem: newArena(&opts)}
}

// Alloc returns zeroed device memory, aligned to 256 bytes. The sanitizer takes it for uninitialised all the same.
func (d *Device) Alloc(bytes int64) (Ptr, error) {
	m, err := d.mem.alloc(bytes)
	if err != nil {
		return 0, err
	}
	return Ptr(m.base), nil
}

// Free releases memory; p is what Alloc returned.
func (d *Device) Free(p Ptr) error { return d.mem.free(p) }

// CopyIn copies from the host to the device.
func (d *Device) CopyIn(dst Ptr, src []byte) error {
	if len(src) == 0 {
		return nil
	}
	m, off, err := d.mem.span("copy in", dst, int64(len(src)))
	if err != nil {
		return err
	}
	copy(m.data[off:], src)
	m.written(off, len(src))
	return nil
}

// CopyOut copies from the device to the host.
func (d *Device) CopyOut(dst []byte, src Ptr) error {
	if len(dst) == 0 {
		return nil
	}
	m, off, err := d.mem.span("copy out", src, int64(len(dst)))
	if err != nil {
		return err
	}
	copy(dst, m.data[off:])
	return nil
}

// Copy copies n bytes inside the device; bytes that are uninitialised stay so.
func (d *Device) Copy(dst, src Ptr, n int64) error {
	if n <= 0 {
		return nil
	}
	s, so, err := d.mem.span("copy", src, n)
	if err != nil {
		return err
	}
	t, to, err := d.mem.span("copy", dst, n)
	if err != nil {
		return err
	}
	copy(t.data[to:to+uint64(n)], s.data[so:])
	if t.init != nil {
		copy(t.init[to:to+uint64(n)], s.init[so:])
	}
	return nil
}

// Fill sets n bytes to a value.
func (d *Device) Fill(dst Ptr, value byte, n int64) error {
	if n <= 0 {
		return nil
	}
	m, off, err := d.mem.span("fill", dst, n)
	if err != nil {
		return err
	}
	for i := range m.data[off : off+uint64(n)] {
		m.data[off+uint64(i)] = value
	}
	m.written(off, int(n))
	return nil
}

// Used returns the bytes in use.
func (d *Device) Used() int64 {
	d.mem.mu.Lock()
	defer d.mem.mu.Unlock()
	return d.mem.used
}

// Leaks returns an error that lists allocations nobody freed; variables of modules do not count.
func (d *Device) Leaks() error {
	n, bytes := 0, uint64(0)
	for _, m := range *d.mem.list.Load() {
		if m.name == "" {
			n++
			bytes += m.size
		}
	}
	if n > 0 {
		return fmt.Errorf("emu: %d allocations of %d bytes in all were not freed", n, bytes)
	}
	return nil
}

// written marks bytes as initialised.
func (m *allocation) written(off uint64, n int) {
	if m.init == nil {
		return
	}
	for i := range m.init[off : off+uint64(n)] {
		m.init[off+uint64(i)] = 1
	}
}

func bytesOf(w []uint64) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(&w[0])), len(w)*8) }

// Total returns the size of the device memory in bytes.
func (d *Device) Total() int64 { return d.mem.limit }

// HostView returns the bytes of an allocation for the host, as page-locked memory mapped into the device has them; from then on they count as initialised.
func (d *Device) HostView(p Ptr) ([]byte, error) {
	m := d.mem.find(uint64(p))
	if m == nil || m.base != uint64(p) {
		return nil, fmt.Errorf("emu: %#x is not the start of an allocation", uint64(p))
	}
	m.written(0, int(m.size))
	return m.data, nil
}
