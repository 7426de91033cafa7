// Package vec holds float32 loops over slices: the inner loops of element-wise kernels, of optimizers and of inner products.
//
// A Set is one implementation: AVX-512, AVX2, NEON or Go. Command asmgen writes them from one list of operations, each of which rounds
// once, and sums have a fixed order that depends on the length alone; so all sets give the same bits. Dropout, the
// rounding to bfloat16 and Top are written by hand. Functions of one variable have a stated error in units of the last place, the largest of all float32: ulp_test.go
// tries a sample of them, and with -exhaustive every one.
package vec

//go:generate go run ./asmgen

// Set is one implementation of all loops. Slices of one call have equal lengths; an output may be an input, but not overlap one otherwise.
type Set struct {
	Name string

	// Dot is sum x*y: 64 running sums over the elements i mod 64, added up in a fixed tree.
	Dot func(x, y []float32) float32
	// Dot3 is sum x*w*y by 32 running sums.
	Dot3 func(x, y, w []float32) float32
	// Inner is sum x*y by 32 running sums.
	Inner func(x, y []float32) float32
	// Inner4 is Inner of x0 to x3 with each other: (0,0), (1,0), (1,1), (2,0) and so on. It may be nil.
	Inner4 func(x0, x1, x2, x3 []float32) (a, b, c, d, e, f, g, h, i, j float32)
	// Inner4x2 is Inner of (x0,y0), (x0,y1), (x1,y0) and so on. It may be nil.
	Inner4x2 func(x0, x1, x2, x3, y0, y1 []float32) (a, b, c, d, e, f, g, h float32)
	// Moments is sum (x-mean) and sum (x-mean)^2 by 32 running sums.
	Moments func(x []float32, mean float32) (sum, squares float32)
	// Max is the largest element that is not NaN, -Inf for none.
	Max func(x []float32) float32

	Axpy  func(dst, x []float32, alpha float32)          // dst += alpha*x
	Axpy2 func(dst, x, y []float32, alpha, beta float32) // dst = (dst + alpha*x) + beta*y
	Scale func(dst, x []float32, alpha float32)          // dst = alpha*x
	// Mix2 is dst = alpha*x + beta*y; Mix3 and Mix4 have more terms, added up in order.
	Mix2   func(dst, x, y []float32, alpha, beta float32)
	Mix3   func(dst, x, y, z []float32, alpha, beta, gamma float32)
	Mix4   func(dst, x, y, z, w []float32, alpha, beta, gamma, delta float32)
	Affine func(dst, x []float32, alpha, beta float32) // dst = alpha*x + beta
	Add    func(dst, x, y []float32)                   // dst = x + y
	Mul    func(dst, x, y []float32)                   // dst = x*y
	MulAdd func(dst, x, y []float32)                   // dst += x*y
	Div    func(dst, x, y []float32)                   // dst = x/y

	// Functions of one variable. In brackets the largest error found, in units of the last place; Phi has none of its own under -13, sigmoid in
	// SiLU none under -87, where the error is less than the smallest normal number.
	Exp      func(dst, x []float32) // [0.89]
	Log      func(dst, x []float32) // [0.87]; NaN for x < 0
	Sigmoid  func(dst, x []float32) // [2.4]
	Tanh     func(dst, x []float32) // [1.4]
	Softplus func(dst, x []float32) // [2.9] log(1 + e^x)
	GELU     func(dst, x []float32) // [6.7] x*Phi(x)
	SiLU     func(dst, x []float32) // [3.3] x*sigmoid(x)
	ReLU     func(dst, x []float32) // max(x, 0); NaN stays

	// dx = f'(x) * dy.
	ExpGrad      func(dx, x, dy []float32)
	SigmoidGrad  func(dx, x, dy []float32)
	TanhGrad     func(dx, x, dy []float32)
	SoftplusGrad func(dx, x, dy []float32)
	GELUGrad     func(dx, x, dy []float32)
	SiLUGrad     func(dx, x, dy []float32)
	ReLUGrad     func(dx, x, dy []float32) // dy where x is positive or NaN, else 0

	// SiluMul is a = s * silu(g) * u.
	SiluMul func(a, g, u []float32, s float32)
	// SiluMulGrad is, with d = s*da: dg = d*u*silu'(g), du = d*silu(g); it returns sum da*silu(g)*u.
	SiluMulGrad func(dg, du, g, u, da []float32, s float32) float32
	// SiluHalf rounds g and u to hg and hu, and silu of the rounded g times the rounded u to a. It may be nil.
	SiluHalf func(a, hg, hu []uint16, g, u []float32)
	// SiluHalfGrad is SiluMulGrad of bfloat16 numbers, with SiluMul in a when that is not nil; results are rounded. It may be nil.
	SiluHalfGrad func(dg, du, a, g, u []uint16, da []float32, s float32) float32
	// GELUGate is a = s * gelu(h).
	GELUGate func(a, h []float32, s float32)
	// GELUGateGrad is dh = s*gelu'(h)*da; it returns sum da*gelu(h). ReLUGateGrad is the same of max(h, 0).
	GELUGateGrad, ReLUGateGrad func(dh, h, da []float32, s float32) float32

	// ScaleMul is dst = alpha*x*w.
	ScaleMul func(dst, x, w []float32, alpha float32)
	// Normalize is dst = (x-mean)*r, NormalizeMulAdd that times w plus bias.
	Normalize       func(dst, x []float32, mean, r float32)
	NormalizeMulAdd func(dst, x, w, bias []float32, mean, r float32)
	// NormGradW is dw += dy*((x-mean)*r).
	NormGradW func(dw, x, dy []float32, mean, r float32)
	// NormSums is sum h and sum h*(x-mean)*r.
	NormSums func(x, h []float32, mean, r float32) (sum, inner float32)
	// NormGrad is dx = r*(h - c - (x-mean)*k), NormGradMul dx = r*(dy*w - x*k); those with Add add it to dx.
	NormGrad, NormGradAdd       func(dx, x, h []float32, mean, r, c, k float32)
	NormGradMul, NormGradMulAdd func(dx, x, dy, w []float32, r, k float32)
	// ExpSum is dst = e^(x-top); it returns the sum of dst.
	ExpSum func(dst, x []float32, top float32) float32
	// SoftmaxGrad is dx = p*(dy-inner), with Add added to dx.
	SoftmaxGrad, SoftmaxGradAdd func(dx, p, dy []float32, inner float32)

	// BCE is dx = s*(sigmoid(x)-y); it returns the sum of log(1+e^x) - x*y. Where y is NaN both are 0.
	BCE func(dx, x, y []float32, s float32) float32

	// Adam updates p, m, v by gradient g; see AdamStep.
	Adam func(p, g, m, v []float32, c *AdamStep)
	// SGD, SGDMomentum and SGDNesterov update p and the momentum m by gradient g; see SGDStep.
	SGD                      func(p, g []float32, c *SGDStep)
	SGDMomentum, SGDNesterov func(p, g, m []float32, c *SGDStep)
	// Lion updates p and m by gradient g; see LionStep.
	Lion func(p, g, m []float32, c *LionStep)

	// Dropout is dst[j] = x[j]*scale where word j%4 of Philox(key, hi, j/4) is at least cut, else 0.
	Dropout func(dst, x []float32, key, hi uint64, cut uint32, scale float32)
	// Round is dst = x rounded to the nearest bfloat16, ties to even; a NaN stays a quiet one.
	Round func(dst []uint16, x []float32)
	// Widen is dst = x; it is exact.
	Widen func(dst []float32, x []uint16)
	// Top is the indices of the len(picks) largest elements, in falling order, ties to the lower index and NaN below everything; -1 where there are no more.
	Top func(picks []int32, x []float32)
}

// AdamStep holds the constants of one Adam or AdamW step:
//
//	g' = Scale*g + L2*p;  m = B1*m + NB1*g';  v = B2*v + NB2*g'*g';  p = Keep*p - Rate*m/(sqrt(v)*Root + Eps)
type AdamStep struct {
	Scale, L2, B1, NB1, B2, NB2, Keep, Rate, Root, Eps float32
}

// SGDStep holds the constants of one step of SGD: with x = Scale*g + Decay*p,
//
//	m = Momentum*m + Take*x;  p -= LR*d,  d = x without momentum, m with it, x + Momentum*m for Nesterov's
type SGDStep struct{ Scale, Decay, LR, Momentum, Take float32 }

// LionStep holds the constants of one step of Lion: with x = Scale*g,
//
//	p -= LR*(sign(B1*m + NB1*x) + Decay*p);  m = B2*m + NB2*x
type LionStep struct{ Scale, B1, NB1, B2, NB2, LR, Decay float32 }

// Sets lists the sets that run here, the best first.
func Sets() []*Set { return append(archSets(), Plain()) }

// Plain is the set in Go.
func Plain() *Set {
	s := &Set{Name: "go", Dropout: dropout, Round: roundHalf, Widen: widen, Top: top}
	fillGo(s)
	return s
}
