// Package vec holds float32 loops over slices: the inner loops of element-wise kernels, of optimizers and of inner products.
//
// Each function exists in AVX-512 assembly and in plain Go; a Set is one of the two. Sums have a fixed order that depends on the
// length alone.
package vec

// Set is one implementation of all loops. Slices of one call have equal lengths.
type Set struct {
	Name string
	// Dot is sum x*y: 64 running sums over the elements i mod 64, added up in a fixed tree.
	Dot func(x, y []float32) float32
	// Axpy is dst += alpha*x.
	Axpy func(dst, x []float32, alpha float32)
	// Scale is dst = alpha*x.
	Scale func(dst, x []float32, alpha float32)
	// SiluMul is a = s * silu(g) * u.
	SiluMul func(a, g, u []float32, s float32)
	// SiluMulGrad is, with d = s*da: dg = d*u*silu'(g), du = d*silu(g); it returns sum da*silu(g)*u.
	SiluMulGrad func(dg, du, g, u, da []float32, s float32) float32
	// Dropout is dst[j] = x[j]*scale where word j%4 of Philox(key, hi, j/4) is at least cut, else 0.
	Dropout func(dst, x []float32, key, hi uint64, cut uint32, scale float32)
	// ReLU is dst = max(x, 0); NaN stays.
	ReLU func(dst, x []float32)
	// ReLUGrad is dx = dy where x is positive or NaN, else 0.
	ReLUGrad func(dx, x, dy []float32)
	// SiluHalf rounds g and u to hg and hu, and silu of the rounded g times the rounded u to a. It may be nil.
	SiluHalf func(a, hg, hu []uint16, g, u []float32)
	// SiluHalfGrad is SiluMulGrad of bfloat16 numbers, with SiluMul in a when that is not nil; results are rounded. It may be nil.
	SiluHalfGrad func(dg, du, a, g, u []uint16, da []float32, s float32) float32
	// Round is dst = x rounded to the nearest bfloat16, ties to even; a NaN stays a quiet one.
	Round func(dst []uint16, x []float32)
	// Widen is dst = x; it is exact.
	Widen func(dst []float32, x []uint16)
	// Adam updates p, m, v by gradient g; see AdamStep.
	Adam func(p, g, m, v []float32, c *AdamStep)
}

// AdamStep holds the constants of one Adam or AdamW step:
//
//	g' = Scale*g + L2*p;  m = B1*m + (1-B1)*g';  v = B2*v + (1-B2)*g'^2;  p = Keep*p - Rate*m/(sqrt(v)*Root + Eps)
type AdamStep struct {
	Scale, L2, B1, NB1, B2, NB2, Keep, Rate, Root, Eps float32
}

// Sets lists the sets that run here, the best first.
func Sets() []*Set { return append(archSets(), plain) }

// Plain is the set in Go.
func Plain() *Set { return plain }
