//go:build !purego

package vec

import "golang.org/x/sys/cpu"

func archSets() (sets []*Set) {
	x := &cpu.X86
	if x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL && x.HasBMI2 {
		s := &Set{Name: "avx512", Dropout: dropout512Slices, Round: round512Slices, Widen: widen512Slices, Top: top512Slices,
			SiluHalf: siluHalfAVX512Slices, SiluHalfGrad: siluHalfGradAny, Inner4: inner4AVX512Slices, Inner4x2: inner4x2AVX512Slices}
		fillAVX512(s)
		sets = append(sets, s)
	}
	if x.HasAVX2 && x.HasFMA && x.HasBMI1 {
		s := &Set{Name: "avx2", Dropout: dropout256Slices, Round: roundHalf, Widen: widen, Top: top256Slices}
		fillAVX2(s)
		sets = append(sets, s)
	}
	return sets
}

//go:noescape
func dropout512(dst, x *float32, n int, key, hi uint64, cut uint32, scale float32)

func dropout512Slices(dst, x []float32, key, hi uint64, cut uint32, scale float32) {
	if n := len(dst); n > 0 {
		dropout512(&dst[0], &x[:n][0], n, key, hi, cut, scale)
	}
}

//go:noescape
func dropout256(dst, x *float32, n int, key, hi uint64, cut uint32, scale float32)

func dropout256Slices(dst, x []float32, key, hi uint64, cut uint32, scale float32) {
	if n := len(dst); n > 0 {
		dropout256(&dst[0], &x[:n][0], n, key, hi, cut, scale)
	}
}

//go:noescape
func round512(dst *uint16, x *float32, n int)

//go:noescape
func widen512(dst *float32, x *uint16, n int)

func round512Slices(dst []uint16, x []float32) {
	if n := len(dst); n > 0 {
		round512(&dst[0], &x[:n][0], n)
	}
}

func widen512Slices(dst []float32, x []uint16) {
	if n := len(dst); n > 0 {
		widen512(&dst[0], &x[:n][0], n)
	}
}

// siluHalfGradAny takes the loop with or without the activation itself.
func siluHalfGradAny(dg, du, a, g, u []uint16, da []float32, s float32) float32 {
	if a == nil {
		return siluHalfGradAVX512Slices(dg, du, g, u, da, s)
	}
	return siluHalfGradMulAVX512Slices(dg, du, a, g, u, da, s)
}
