// Package rng makes random numbers from counters: the n-th number of a stream is a pure function of (seed, path, n).
//
// The generator is Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). A stream needs
// no warm-up and no locking, can be read at any position, and its whole state is 24 bytes; so results do not depend on
// the number of threads, and a run that stops and resumes sees the same numbers.
package rng

import "math"

// Stream is a sequence of random numbers. Copying it forks it. The zero value is the stream of seed 0.
type Stream struct {
	Key uint64 // identifies the stream
	Hi  uint64 // high half of the counter: a position set by At
	Lo  uint64 // low half of the counter: numbers drawn so far
}

// New returns the stream of a seed.
func New(seed uint64) Stream { return Stream{Key: mix(seed ^ 0x9e3779b97f4a7c15)} }

// Sub returns an independent stream for a purpose, such as Sub("dropout", layer).
func (s Stream) Sub(purpose string, ids ...uint64) Stream {
	k := s.Key
	for i := 0; i < len(purpose); i++ {
		k = mix(k ^ uint64(purpose[i])*0x100000001b3)
	}
	for _, id := range ids {
		k = mix(k ^ mix(id+0x632be59bd9b4e019))
	}
	return Stream{Key: k}
}

// At returns the stream at position hi (a step, a global row), with nothing drawn there yet.
func (s Stream) At(hi uint64) Stream { return Stream{Key: s.Key, Hi: hi} }

// Block returns four words at counter (hi, lo) without touching the stream.
func (s Stream) Block(hi, lo uint64) [4]uint32 { return Philox(s.Key, hi, lo) }

// Uint64 draws 64 bits.
func (s *Stream) Uint64() uint64 {
	b := Philox(s.Key, s.Hi, s.Lo)
	s.Lo++
	return uint64(b[0]) | uint64(b[1])<<32
}

// Float64 draws a number of [0,1) with 53 random bits.
func (s *Stream) Float64() float64 { return float64(s.Uint64()>>11) * 0x1p-53 }

// Intn draws an integer of [0,n) without bias; it panics when n <= 0.
func (s *Stream) Intn(n int) int {
	if n <= 0 {
		panic("rng: Intn: n must be positive")
	}
	limit := -uint64(n) % uint64(n) // 2^64 mod n: values under it would be over-represented
	for {
		if v := s.Uint64(); v >= limit {
			return int(v % uint64(n))
		}
	}
}

// Normal draws a standard normal number (Box-Muller; one per counter value, so positions stay aligned).
func (s *Stream) Normal() float64 {
	b := Philox(s.Key, s.Hi, s.Lo)
	s.Lo++
	u := (float64(uint64(b[0])|uint64(b[1])<<32>>11<<11) + 1) * 0x1p-64
	v := float64(uint64(b[2])|uint64(b[3])<<32) * 0x1p-64
	return math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*v)
}

// Perm fills p with a uniformly random permutation of 0..len(p)-1 (Fisher-Yates).
func (s *Stream) Perm(p []int) {
	for i := range p {
		p[i] = i
	}
	for i := len(p) - 1; i > 0; i-- {
		j := s.Intn(i + 1)
		p[i], p[j] = p[j], p[i]
	}
}

// Philox returns Philox4x32-10 of the counter (hi, lo) under key.
func Philox(key, hi, lo uint64) [4]uint32 {
	c0, c1, c2, c3 := uint32(lo), uint32(lo>>32), uint32(hi), uint32(hi>>32)
	k0, k1 := uint32(key), uint32(key>>32)
	for i := 0; i < 10; i++ {
		p0 := uint64(c0) * 0xD2511F53
		p1 := uint64(c2) * 0xCD9E8D57
		c0, c1, c2, c3 = uint32(p1>>32)^c1^k0, uint32(p1), uint32(p0>>32)^c3^k1, uint32(p0)
		k0 += 0x9E3779B9
		k1 += 0xBB67AE85
	}
	return [4]uint32{c0, c1, c2, c3}
}

// mix is the finaliser of SplitMix64: a bijection of 64-bit words.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
