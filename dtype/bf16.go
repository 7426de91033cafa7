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

// ToBF16From64 rounds x to the nearest bfloat16 in one step. Going through float32 rounds twice, which is wrong when the first
// rounding lands on a tie; so the first one rounds to odd (Boldo & Melquiond 2005): an inexact value never looks like a tie.
func ToBF16From64(x float64) uint16 {
	f := float32(x)
	if float64(f) != x && x == x {
		b := math.Float32bits(f)
		if math.Abs(float64(f)) > math.Abs(x) {
			b-- // towards zero
		}
		f = math.Float32frombits(b | 1)
	}
	return ToBF16(f)
}
