package emu

import (
	"encoding/binary"

	"artel/kernels/cuda/driver"
)

// tensorMagic marks a tensor map of the emulator; the driver's own encoding is not public.
const tensorMagic = 0x754d4554

// EncodeTiled fills a tensor map for kernels that run here; t has passed its Check.
func EncodeTiled(t *driver.Tiled) (m driver.TensorMap) {
	le := binary.LittleEndian
	le.PutUint32(m[0:], tensorMagic)
	m[4], m[5], m[6] = byte(t.Type), byte(t.Rank), byte(t.Swizzle)
	if t.NaNFill {
		m[7] = 1
	}
	le.PutUint64(m[8:], uint64(t.Base))
	for i := range t.Rank {
		le.PutUint32(m[16+4*i:], uint32(t.Dims[i]-1))
		m[72+i], m[80+i] = byte(t.Box[i]-1), byte(t.Steps[i])
		if i > 0 {
			le.PutUint64(m[40+8*(i-1):], t.Strides[i-1])
		}
	}
	return m
}

// decodeTiled reads a tensor map; ok is false when it is none.
func decodeTiled(m []byte) (t driver.Tiled, ok bool) {
	le := binary.LittleEndian
	if len(m) < 128 || le.Uint32(m) != tensorMagic {
		return t, false
	}
	t.Type, t.Rank, t.Swizzle, t.NaNFill = driver.Element(m[4]), int(m[5]), driver.Swizzle(m[6]), m[7] != 0
	t.Base = driver.Ptr(le.Uint64(m[8:]))
	for i := range min(t.Rank, driver.MaxTensorMapRank) {
		t.Dims[i] = uint64(le.Uint32(m[16+4*i:])) + 1
		t.Box[i], t.Steps[i] = uint32(m[72+i])+1, uint32(m[80+i])
		if i > 0 {
			t.Strides[i-1] = le.Uint64(m[40+8*(i-1):])
		}
	}
	// The unit knows no stride for dimension 0: the encoder ignores it.
	t.Steps[0] = 1
	return t, t.Check() == nil
}
