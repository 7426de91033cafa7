package dtype

import "math"

// ToBF16 rounds x to the nearest bfloat16, ties to even; a NaN stays a (quiet) NaN.
func ToBF16(x float32) uint16 {
	b := math.Float32bits(x)
	if b&0x7fffffff > 0x7f800000 {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// FromBF16 widens a bfloat16; it is exact.
func FromBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }
