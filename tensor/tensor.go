package tensor

import (
	"fmt"
	"strings"
	"unsafe"

	"artel/dtype"
)

// MaxRank is the largest number of dimensions.
const MaxRank = 4

// Tensor is a strided view of a Storage. Strides and the offset count elements; a stride of 0 repeats.
// The zero value is "no tensor" (see Ok).
type Tensor struct {
	Type   dtype.Type
	rank   uint8
	off    int
	shape  [MaxRank]int
	stride [MaxRank]int
	st     *Storage
}

// Of returns the contiguous (row-major) tensor of the given shape that starts at element off of st.
// It panics when the shape does not fit: sizes are the program's, not the user's.
func Of(st *Storage, off int, shape ...int) Tensor {
	t := Tensor{Type: st.Type, rank: uint8(len(shape)), off: off, st: st}
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		t.shape[i], t.stride[i] = shape[i], n
		n *= shape[i]
	}
	if len(shape) > MaxRank || off < 0 || n < 0 || off+n > st.Len {
		panic(fmt.Sprintf("tensor: shape of %d elements at offset %d does not fit a storage of %d", n, off, st.Len))
	}
	return t
}

// New returns a zeroed contiguous host tensor.
func New(d dtype.Type, shape ...int) Tensor {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return Of(NewHost(d, n), 0, shape...)
}

// FromF32 returns a host tensor that shares s.
func FromF32(s []float32, shape ...int) Tensor { return Of(WrapF32(s), 0, shape...) }

// FromF64 returns a host tensor that shares s.
func FromF64(s []float64, shape ...int) Tensor { return Of(WrapF64(s), 0, shape...) }

// FromI32 returns a host tensor that shares s.
func FromI32(s []int32, shape ...int) Tensor { return Of(WrapI32(s), 0, shape...) }

// Ok reports whether t describes a tensor; the zero Tensor does not.
func (t Tensor) Ok() bool { return t.st != nil }

// Rank returns the number of dimensions.
func (t Tensor) Rank() int { return int(t.rank) }

// Dim returns the extent of dimension i.
func (t Tensor) Dim(i int) int { return t.shape[i] }

// Stride returns the distance, in elements, between neighbours along dimension i.
func (t Tensor) Stride(i int) int { return t.stride[i] }

// Len returns the number of elements, 0 for the zero Tensor.
func (t Tensor) Len() int {
	if t.st == nil {
		return 0
	}
	n := 1
	for i := 0; i < int(t.rank); i++ {
		n *= t.shape[i]
	}
	return n
}

// Shape returns a copy of the shape.
func (t Tensor) Shape() []int { return append([]int(nil), t.shape[:t.rank]...) }

// Storage returns the storage that t views.
func (t Tensor) Storage() *Storage { return t.st }

// On returns the same view of another storage of the same type and length.
func (t Tensor) On(st *Storage) Tensor {
	if t.st == nil || st.Type != t.st.Type || st.Len != t.st.Len {
		panic(fmt.Sprintf("tensor: %v laid over a storage of %d elements of %v", t, st.Len, st.Type))
	}
	t.st = st
	return t
}

// Offset returns the position of the first element in the storage.
func (t Tensor) Offset() int { return t.off }

// SameShape reports whether t and u have equal shapes.
func (t Tensor) SameShape(u Tensor) bool { return t.rank == u.rank && t.shape == u.shape }

// Contiguous reports whether the elements lie in row-major order without gaps.
func (t Tensor) Contiguous() bool {
	n := 1
	for i := int(t.rank) - 1; i >= 0; i-- {
		if t.shape[i] != 1 && t.stride[i] != n {
			return false
		}
		n *= t.shape[i]
	}
	return true
}

// String gives type and shape, such as F32[256,128].
func (t Tensor) String() string {
	if !t.Ok() {
		return "none"
	}
	return t.Type.String() + strings.ReplaceAll(fmt.Sprint(t.shape[:t.rank]), " ", ",")
}

// extent is the number of storage elements from the first to one past the last element of t.
func (t Tensor) extent() int {
	last := 0
	for i := 0; i < int(t.rank); i++ {
		if t.shape[i] == 0 {
			return 0
		}
		last += (t.shape[i] - 1) * t.stride[i]
	}
	return last + 1
}

// slice returns the host memory from the first element of t to its last, gaps included.
func slice[E any](t Tensor, want dtype.Type) []E {
	if t.st == nil {
		return nil
	}
	if t.Type != want || t.st.host == nil && t.st.Len > 0 {
		panic(fmt.Sprintf("tensor: %v asked for as host %v", t, want))
	}
	n := t.extent()
	if n == 0 {
		return nil
	}
	var e E
	return unsafe.Slice((*E)(unsafe.Add(t.st.host, t.off*int(unsafe.Sizeof(e)))), n)
}

// F32 returns the elements from the first to the last, gaps of the strides included. It panics on another type or on
// device memory.
func (t Tensor) F32() []float32 { return slice[float32](t, dtype.F32) }

// F64 is F32 for float64.
func (t Tensor) F64() []float64 { return slice[float64](t, dtype.F64) }

// I32 is F32 for int32.
func (t Tensor) I32() []int32 { return slice[int32](t, dtype.I32) }

// BF16 is F32 for bfloat16 bit patterns.
func (t Tensor) BF16() []uint16 { return slice[uint16](t, dtype.BF16) }
