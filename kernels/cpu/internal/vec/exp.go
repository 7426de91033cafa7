package vec

import "math"

// Coefficients of exp on [-ln2/2, ln2/2]: 2^n * (1 + r + r^2*(c2 + r*(c3 + ...))), from the Taylor series with the last terms
// adjusted for the interval (relative error under 2e-7 with rounding).
const (
	log2e = 1.44269504088896341
	ln2Hi = 0.693359375
	ln2Lo = -2.12194440e-4
	c2    = 0.5
	c3    = 0.166666656732559204
	c4    = 0.0416664853692054749
	c5    = 0.00833336077630519867
	c6    = 0.00139304355252534151
	expLo = -104.0
	expHi = 88.8
)

// Exp is e^x with a relative error under 3e-7; it overflows to +Inf above 88.72 and reaches 0 below -104.
func Exp(x float32) float32 {
	if x != x {
		return x
	}
	if x > expHi {
		return float32(math.Inf(1))
	}
	if x < expLo {
		return 0
	}
	n := math.Floor(float64(x)*log2e + 0.5)
	r := float32(float64(x) - n*math.Ln2)
	p := 1 + r + r*r*(c2+r*(c3+r*(c4+r*(c5+r*c6))))
	return float32(math.Ldexp(float64(p), int(n)))
}

// Sigmoid is 1/(1+e^-x).
func Sigmoid(x float32) float32 { return 1 / (1 + Exp(-x)) }
