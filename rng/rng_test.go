package rng

import (
	"math"
	"testing"
)

// TestPhiloxKnownAnswers uses the vectors of the Random123 distribution (kat_vectors, philox4x32 10).
func TestPhiloxKnownAnswers(t *testing.T) {
	all := ^uint64(0)
	for _, c := range []struct {
		key, hi, lo uint64
		want        [4]uint32
	}{
		{0, 0, 0, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{all, all, all, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{0x299f31d0_a4093822, 0x03707344_13198a2e, 0x85a308d3_243f6a88, [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := Philox(c.key, c.hi, c.lo); got != c.want {
			t.Errorf("Philox(%x,%x,%x) = %x, want %x", c.key, c.hi, c.lo, got, c.want)
		}
	}
}

func TestMoments(t *testing.T) {
	s := New(7).Sub("test")
	const n = 200000
	var u, u2, z, z2, z4 float64
	for i := 0; i < n; i++ {
		x, y := s.Float64(), s.Normal()
		u, u2, z, z2, z4 = u+x, u2+x*x, z+y, z2+y*y, z4+y*y*y*y
	}
	for name, c := range map[string][3]float64{ // value, expectation, six standard errors
		"uniform mean": {u / n, 0.5, 6 * math.Sqrt(1.0/12/n)},
		"uniform 2nd":  {u2 / n, 1.0 / 3, 6 * math.Sqrt(4.0/45/n)},
		"normal mean":  {z / n, 0, 6 / math.Sqrt(n)},
		"normal 2nd":   {z2 / n, 1, 6 * math.Sqrt(2.0/n)},
		"normal 4th":   {z4 / n, 3, 6 * math.Sqrt(96.0/n)},
	} {
		if math.Abs(c[0]-c[1]) > c[2] {
			t.Errorf("%s = %v, want %v +- %v", name, c[0], c[1], c[2])
		}
	}
}

func TestPermUniform(t *testing.T) {
	s := New(1)
	var count [6]int
	p := make([]int, 3)
	for i := 0; i < 60000; i++ {
		s.Perm(p)
		count[p[0]*2+b2i(p[1] > p[2])]++
	}
	for i, c := range count {
		if c < 9500 || c > 10500 {
			t.Errorf("permutation class %d: %d of 60000, want about 10000", i, c)
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestStateIsPosition shows that a saved Stream continues bit for bit and that streams of other purposes differ.
func TestStateIsPosition(t *testing.T) {
	a := New(3).Sub("data", 5).At(9)
	a.Uint64()
	saved := a
	x, y := a.Uint64(), a.Normal()
	if x2, y2 := saved.Uint64(), saved.Normal(); x != x2 || y != y2 {
		t.Error("a restored stream differs")
	}
	b := New(3).Sub("data", 6).At(9)
	b.Uint64()
	if b.Uint64() == x {
		t.Error("streams of different ids agree")
	}
}
