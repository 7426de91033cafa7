package dtype

import (
	"math"
	"testing"
)

func TestParseRoundTrip(t *testing.T) {
	for _, d := range []Type{F32, F64, BF16, I32, F16, I64} {
		got, err := Parse(d.String())
		if err != nil || got != d || d.Size() == 0 {
			t.Errorf("Parse(%q) = %v, %v; size %d", d.String(), got, err, d.Size())
		}
	}
	for _, s := range []string{"", "invalid", "f32", "F8_E4M3"} {
		if _, err := Parse(s); err == nil {
			t.Errorf("Parse(%q): want an error", s)
		}
	}
}

// TestBF16Nearest checks rounding against a search over both neighbours for many bit patterns.
func TestBF16Nearest(t *testing.T) {
	for i := uint32(0); i < 1<<16; i++ {
		b := i*65537 + i>>3 // spreads over exponents and low halves
		x := math.Float32frombits(b)
		got := FromBF16(ToBF16(x))
		switch {
		case x != x:
			if got == got {
				t.Fatalf("NaN %#x became %v", b, got)
			}
		case math.IsInf(float64(x), 0):
			if got != x {
				t.Fatalf("Inf became %v", got)
			}
		default:
			lo := math.Float32frombits(b &^ 0xffff)
			hi := math.Float32frombits(b&^0xffff + 0x10000)
			dLo, dHi := math.Abs(float64(x)-float64(lo)), math.Abs(float64(hi)-float64(x))
			want := lo
			if dHi < dLo || dHi == dLo && b>>16&1 == 1 {
				want = hi
			}
			if math.IsInf(float64(hi), 0) {
				continue // overflow is decided by magnitude, not by distance
			}
			if got != want {
				t.Fatalf("ToBF16(%v) = %v, want %v", x, got, want)
			}
		}
	}
}
