package emu

import (
	"math/bits"

	"artel/kernels/cuda/emu/ptx"
)

func wideProduct(t ptx.Type) handler {
	switch t {
	case ptx.U16:
		return lift2(func(a, b uint16) uint32 { return uint32(a) * uint32(b) })
	case ptx.S16:
		return lift2(func(a, b int16) int32 { return int32(a) * int32(b) })
	case ptx.U32:
		return lift2(func(a, b uint32) uint64 { return uint64(a) * uint64(b) })
	case ptx.S32:
		return lift2(func(a, b int32) int64 { return int64(a) * int64(b) })
	}
	return nil
}

func wideProductSum(t ptx.Type) handler {
	switch t {
	case ptx.U16:
		return lift3(func(a, b uint16, c uint32) uint32 { return uint32(a)*uint32(b) + c })
	case ptx.S16:
		return lift3(func(a, b int16, c int32) int32 { return int32(a)*int32(b) + c })
	case ptx.U32:
		return lift3(func(a, b uint32, c uint64) uint64 { return uint64(a)*uint64(b) + c })
	case ptx.S32:
		return lift3(func(a, b int32, c int64) int64 { return int64(a)*int64(b) + c })
	}
	return nil
}

func highU64(a, b uint64) uint64 {
	hi, _ := bits.Mul64(a, b)
	return hi
}

// highS64 corrects the unsigned product for negative factors.
func highS64(a, b int64) int64 {
	hi := int64(highU64(uint64(a), uint64(b)))
	if a < 0 {
		hi -= b
	}
	if b < 0 {
		hi -= a
	}
	return hi
}

func highU32(a, b uint32) uint32 { return uint32(uint64(a) * uint64(b) >> 32) }

func highS32(a, b int32) int32 { return int32(int64(a) * int64(b) >> 32) }

func highProduct(t ptx.Type) handler {
	switch t {
	case ptx.U16:
		return lift2(func(a, b uint16) uint16 { return uint16(uint32(a) * uint32(b) >> 16) })
	case ptx.S16:
		return lift2(func(a, b int16) int16 { return int16(int32(a) * int32(b) >> 16) })
	case ptx.U32:
		return lift2(highU32)
	case ptx.S32:
		return lift2(highS32)
	case ptx.U64:
		return lift2(highU64)
	case ptx.S64:
		return lift2(highS64)
	}
	return nil
}

func highProductSum(t ptx.Type) handler {
	switch t {
	case ptx.U32:
		return lift3(func(a, b, c uint32) uint32 { return highU32(a, b) + c })
	case ptx.S32:
		return lift3(func(a, b, c int32) int32 { return highS32(a, b) + c })
	case ptx.U64:
		return lift3(func(a, b, c uint64) uint64 { return highU64(a, b) + c })
	case ptx.S64:
		return lift3(func(a, b, c int64) int64 { return highS64(a, b) + c })
	}
	return nil
}
