//go:build !purego

package vec

import "golang.org/x/sys/cpu"

func archSets() []*Set {
	if !cpu.X86.HasAVX512F || !cpu.X86.HasAVX512DQ || !cpu.X86.HasAVX512BW || !cpu.X86.HasAVX512VL {
		return nil
	}
	if !cpu.X86.HasBMI2 {
		return nil
	}
	return []*Set{{Name: "avx512", Dot: dotAVX512, Axpy: axpyAVX512, Scale: scaleAVX512, SiluMul: siluMulAVX512, SiluMulGrad: siluMulGradAVX512, Dropout: dropoutAVX512, Adam: adamAVX512,
		ReLU: reluAVX512, ReLUGrad: reluGradAVX512, SiluHalf: siluHalfAVX512, SiluHalfGrad: siluHalfGradAVX512, Round: roundAVX512, Widen: widenAVX512}}
}

//go:noescape
func dot512(x, y *float32, n int) float32

//go:noescape
func axpy512(dst, x *float32, n int, alpha float32)

//go:noescape
func scale512(dst, x *float32, n int, alpha float32)

//go:noescape
func siluMul512(a, gate, u *float32, n int, s float32)

//go:noescape
func siluMulGrad512(dg, du, gate, u, da *float32, n int, s float32) float32

//go:noescape
func adam512(p, grad, m, v *float32, n int, c *AdamStep)

func dotAVX512(x, y []float32) float32 {
	if len(x) == 0 {
		return 0
	}
	return dot512(&x[0], &y[:len(x)][0], len(x))
}

func axpyAVX512(dst, x []float32, alpha float32) {
	if len(dst) > 0 {
		axpy512(&dst[0], &x[:len(dst)][0], len(dst), alpha)
	}
}

func scaleAVX512(dst, x []float32, alpha float32) {
	if len(dst) > 0 {
		scale512(&dst[0], &x[:len(dst)][0], len(dst), alpha)
	}
}

func siluMulAVX512(a, g, u []float32, s float32) {
	if n := len(a); n > 0 {
		siluMul512(&a[0], &g[:n][0], &u[:n][0], n, s)
	}
}

func siluMulGradAVX512(dg, du, g, u, da []float32, s float32) float32 {
	n := len(dg)
	if n == 0 {
		return 0
	}
	return siluMulGrad512(&dg[0], &du[:n][0], &g[:n][0], &u[:n][0], &da[:n][0], n, s)
}

func adamAVX512(p, g, m, v []float32, c *AdamStep) {
	if n := len(p); n > 0 {
		adam512(&p[0], &g[:n][0], &m[:n][0], &v[:n][0], n, c)
	}
}

//go:noescape
func dropout512(dst, x *float32, n int, key, hi uint64, cut uint32, scale float32)

func dropoutAVX512(dst, x []float32, key, hi uint64, cut uint32, scale float32) {
	if n := len(dst); n > 0 {
		dropout512(&dst[0], &x[:n][0], n, key, hi, cut, scale)
	}
}

//go:noescape
func relu512(dst, x *float32, n int)

//go:noescape
func reluGrad512(dx, x, dy *float32, n int)

func reluAVX512(dst, x []float32) {
	if n := len(dst); n > 0 {
		relu512(&dst[0], &x[:n][0], n)
	}
}

func reluGradAVX512(dx, x, dy []float32) {
	if n := len(dx); n > 0 {
		reluGrad512(&dx[0], &x[:n][0], &dy[:n][0], n)
	}
}

//go:noescape
func round512(dst *uint16, x *float32, n int)

//go:noescape
func widen512(dst *float32, x *uint16, n int)

func roundAVX512(dst []uint16, x []float32) {
	if n := len(dst); n > 0 {
		round512(&dst[0], &x[:n][0], n)
	}
}

func widenAVX512(dst []float32, x []uint16) {
	if n := len(dst); n > 0 {
		widen512(&dst[0], &x[:n][0], n)
	}
}

//go:noescape
func siluHalf512(a, hg, hu *uint16, gate, u *float32, n int)

//go:noescape
func siluHalfGrad512(dg, du, a, gate, u *uint16, da *float32, n int, s float32) float32

func siluHalfAVX512(a, hg, hu []uint16, g, u []float32) {
	if n := len(a); n > 0 {
		siluHalf512(&a[0], &hg[:n][0], &hu[:n][0], &g[:n][0], &u[:n][0], n)
	}
}

func siluHalfGradAVX512(dg, du, a, g, u []uint16, da []float32, s float32) float32 {
	n := len(dg)
	if n == 0 {
		return 0
	}
	var to *uint16
	if a != nil {
		to = &a[:n][0]
	}
	return siluHalfGrad512(&dg[0], &du[:n][0], to, &g[:n][0], &u[:n][0], &da[:n][0], n, s)
}
