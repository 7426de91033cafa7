package tensor

import (
	"unsafe"

	"artel/dtype"
)

// Storage is a block of elements of one type, in host memory or on a device.
type Storage struct {
	Type dtype.Type
	Len  int // elements

	host unsafe.Pointer // first element for the host, nil for memory that only a device reaches
	keep any            // keeps the host memory alive
	dev  uint64         // first element for a device, 0 for memory that only the host reaches
}

// NewHost returns a zeroed host storage of n elements, aligned to 64 bytes.
func NewHost(t dtype.Type, n int) *Storage {
	const align = 64
	size := n*t.Size() + align
	buf := make([]uint64, (size+7)/8) // uint64 gives the alignment every element type needs
	p := unsafe.Pointer(unsafe.SliceData(buf))
	if r := uintptr(p) % align; r != 0 {
		p = unsafe.Add(p, align-r)
	}
	return &Storage{Type: t, Len: n, host: p, keep: buf}
}

// drop lets go of host memory that nobody may use any more; tensors over s may still be held.
func (s *Storage) drop() { s.host, s.keep = nil, nil }

// Device returns a storage for n elements at a device address; the caller owns that memory.
func Device(t dtype.Type, n int, addr uint64) *Storage {
	return &Storage{Type: t, Len: n, dev: addr}
}

// Shared returns a storage for n elements that the host reaches at one address and a device at another; the caller owns that memory.
func Shared(t dtype.Type, n int, host unsafe.Pointer, addr uint64) *Storage {
	return &Storage{Type: t, Len: n, host: host, dev: addr}
}

// WrapF32 returns a storage over s, which it shares.
func WrapF32(s []float32) *Storage {
	return &Storage{Type: dtype.F32, Len: len(s), host: unsafe.Pointer(unsafe.SliceData(s)), keep: s}
}

// WrapF64 returns a storage over s, which it shares.
func WrapF64(s []float64) *Storage {
	return &Storage{Type: dtype.F64, Len: len(s), host: unsafe.Pointer(unsafe.SliceData(s)), keep: s}
}

// WrapI32 returns a storage over s, which it shares.
func WrapI32(s []int32) *Storage {
	return &Storage{Type: dtype.I32, Len: len(s), host: unsafe.Pointer(unsafe.SliceData(s)), keep: s}
}

// OnHost reports whether the host reaches the elements.
func (s *Storage) OnHost() bool { return s.dev == 0 || s.host != nil }

// Address returns the device address, 0 for memory that only the host reaches.
func (s *Storage) Address() uint64 { return s.dev }
