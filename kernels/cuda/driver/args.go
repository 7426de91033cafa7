package driver

import (
	"encoding/binary"
	"math"
)

// Args packs the parameters of a kernel as the driver's parameter buffer wants them: each behind the last, at a multiple of
// its own size. Reset keeps the memory, so packing allocates nothing in the long run.
type Args struct{ buf []byte }

// Reset empties the buffer.
func (a *Args) Reset() *Args {
	a.buf = a.buf[:0]
	return a
}

// Bytes returns the packed parameters, valid until the next Reset.
func (a *Args) Bytes() []byte { return a.buf }

func (a *Args) align(n int) {
	for len(a.buf)%n != 0 {
		a.buf = append(a.buf, 0)
	}
}

// Ptr adds a pointer.
func (a *Args) Ptr(p Ptr) *Args { return a.U64(uint64(p)) }

// U64 adds an unsigned number of 64 bits.
func (a *Args) U64(v uint64) *Args {
	a.align(8)
	a.buf = binary.LittleEndian.AppendUint64(a.buf, v)
	return a
}

// I64 adds a number of 64 bits.
func (a *Args) I64(v int) *Args { return a.U64(uint64(v)) }

// U32 adds an unsigned number of 32 bits.
func (a *Args) U32(v uint32) *Args {
	a.align(4)
	a.buf = binary.LittleEndian.AppendUint32(a.buf, v)
	return a
}

// I32 adds a number of 32 bits; the caller has checked the range.
func (a *Args) I32(v int) *Args { return a.U32(uint32(int32(v))) }

// F32 adds a number of type float.
func (a *Args) F32(v float32) *Args { return a.U32(math.Float32bits(v)) }

// F64 adds a number of type double.
func (a *Args) F64(v float64) *Args { return a.U64(math.Float64bits(v)) }

// Map adds a tensor map, a __grid_constant__ parameter.
func (a *Args) Map(m *TensorMap) *Args {
	a.align(64)
	a.buf = append(a.buf, m[:]...)
	return a
}
