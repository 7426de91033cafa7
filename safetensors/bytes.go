package safetensors

import (
	"encoding/binary"
	"io"
	"unsafe"
)

// element is a Go type that files hold: float32, float64, int32, int64, and uint16 for the bits of BF16 and F16.
type element interface {
	float32 | float64 | uint16 | int32 | int64
}

// littleEndian reports whether this machine's byte order is the file's.
func littleEndian() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }

// asBytes returns x's memory.
func asBytes[E element](x []E) []byte {
	if len(x) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), len(x)*int(unsafe.Sizeof(x[0])))
}

// view returns b as elements: b's own memory when it is aligned and in this machine's byte order, else a copy.
// len(b) must be a multiple of the element size.
func view[E element](b []byte, little bool) []E {
	var e E
	size := unsafe.Sizeof(e)
	if len(b) == 0 {
		return []E{}
	}
	if little && uintptr(unsafe.Pointer(&b[0]))%unsafe.Alignof(e) == 0 {
		return unsafe.Slice((*E)(unsafe.Pointer(&b[0])), len(b)/int(size))
	}
	x := make([]E, len(b)/int(size))
	if little {
		copy(asBytes(x), b)
	} else {
		swap(asBytes(x), b, int(size))
	}
	return x
}

// swap copies src to dst and reverses the bytes of every element.
func swap(dst, src []byte, size int) {
	for i := 0; i < len(src); i += size {
		for j := range size {
			dst[i+j] = src[i+size-1-j]
		}
	}
}

// writeSwapped writes b with the bytes of every element reversed, through a buffer of fixed size.
func writeSwapped(w io.Writer, b []byte, size int) error {
	var buf [8192]byte
	for len(b) > 0 {
		n := min(len(b), len(buf))
		swap(buf[:n], b[:n], size)
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
