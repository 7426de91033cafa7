package data

import "artel/rng"

// permute returns the i-th element of a random permutation of [0,n) that is chosen by stream: four rounds of a Feistel network on the
// smallest even number of bits that holds n, walked until the value is in range. It needs no memory, so an epoch has no state but a position.
func permute(s rng.Stream, i, n uint64) uint64 {
	half := uint(1)
	for n > 1<<(2*half) {
		half++
	}
	mask := uint64(1)<<half - 1
	for {
		l, r := i>>half, i&mask
		for round := uint64(0); round < 4; round++ {
			w := s.Block(round, r)
			l, r = r, l^uint64(w[0])&mask
		}
		i = l<<half | r
		if i < n {
			return i
		}
	}
}
