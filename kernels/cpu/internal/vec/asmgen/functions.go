package main

import "math"

// Coefficients, lowest first: minimax polynomials of the relative error (Remez), rounded to float32.
var (
	// e^r on |r| <= ln(2)/2; 3e-9 before rounding
	expCoefficients = []float64{1, 1, 0.499999934335, 0.166665204022, 0.0416683905176, 0.00836874490391, 0.001381455364}
	// (log(1+f) - f + f^2/2) / f^3 on [1/sqrt 2 - 1, sqrt 2 - 1]; 6e-9 of log(1+f)
	logCoefficients = []float64{0.333333317085, -0.250008210631, 0.200012271037, -0.166233565346, 0.142017516241, -0.131601835154,
		0.127616210989, -0.07634547292}
	// (tanh(x)/x - 1) / x^2 as a function of x^2 on [0, 0.625^2]; 5e-9 of tanh
	tanhCoefficients = []float64{-0.33333281944, 0.133314422402, -0.0537397176508, 0.0206390934562, -0.00570499226918}
	// 2 (atanh(s)/s - 1) / s^2 as a function of s^2 on [0, 1/9]; 5e-9 of atanh
	atanhCoefficients = []float64{0.666664131329, 0.400216990646, 0.279991409852, 0.280244592472}
	// e^(t^2/2) * Phi(-t) / w as a function of 1-2w, w = k/(k+t), on t in [0, 15]; 2e-8
	millsCoefficients = []float64{0.282662663962, -0.173476804924, 0.0527947915269, 0.00369435032463, -0.00655447420634, -0.000640331976558,
		0.00100957298794, 0.000273764833672, -0.000124648993241, -6.30807032388e-5}
)

const millsK = 2.5

// exp is e^x: +Inf above 88.72, 0 below -104.
func (b *body) exp(x int) int { return b.expUpTo(x, 88.8) }

// expUpTo is e^min(x, top): 2^n * (1 + r + r^2*(c2 + ...)) with n = round(x/ln 2) and r = x - n*ln 2 in two parts.
func (b *body) expUpTo(x int, top float64) int {
	x = b.atLeast(b.atMost(x, b.c(top)), b.c(-104))
	n := b.round(b.mul(x, b.c(math.Log2E)))
	r := b.fnma(n, b.c(0.693359375), x)
	r = b.fnma(n, b.c(-2.12194440e-4), r)
	return b.pow2(b.horner(r, expCoefficients...), n)
}

// horner is c[0] + x*(c[1] + x*(...)).
func (b *body) horner(x int, c ...float64) int {
	p := b.c(c[len(c)-1])
	for i := len(c) - 2; i >= 0; i-- {
		p = b.fma(p, x, b.c(c[i]))
	}
	return p
}

// negative changes the sign.
func (b *body) negative(x int) int { return b.xor(x, b.w(1<<31)) }

// size is |x|.
func (b *body) size(x int) int { return b.and(x, b.w(1<<31-1)) }

// signed gives size x, which is not negative, the sign of y.
func (b *body) signed(x, y int) int { return b.or(x, b.and(y, b.w(1<<31))) }

// sigmoid is e^x/(1+e^x), with an x that does not overflow.
func (b *body) sigmoid(x int) int {
	e := b.expUpTo(x, 88)
	return b.div(e, b.add(e, b.c(1)))
}

// bell is z/(1+z)^2 with z = e^-|x|, the derivative of sigmoid at x.
func (b *body) bell(x int) int {
	z := b.exp(b.negative(b.size(x)))
	one := b.add(z, b.c(1))
	return b.div(z, b.mul(one, one))
}

// tanh is an odd polynomial for |x| < 0.625 and 1 - 2/(e^2|x| + 1) beyond.
func (b *body) tanh(x int) int {
	t := b.size(x)
	far := b.sub(b.c(1), b.div(b.c(2), b.add(b.exp(b.add(t, t)), b.c(1))))
	s := b.mul(x, x)
	near := b.fma(b.mul(b.horner(s, tanhCoefficients...), s), x, x)
	return b.choose(b.less(t, b.c(0.625)), near, b.signed(far, x))
}

// log is e*ln 2 + log(1+f) with x = 2^e * (1+f), 1+f in [1/sqrt 2, sqrt 2); NaN for negative x.
func (b *body) log(x int) int {
	small := b.less(x, b.c(0x1p-126))
	y := b.choose(small, b.mul(x, b.c(0x1p24)), x)
	// Subtracting the bits of 1/sqrt 2 puts the border between exponents there.
	const root = 0x3f3504f3
	k := b.addWord(y, b.w(-root&(1<<32-1)))
	e := b.fromInt(b.emit(word, opShiftA, 23, k))
	e = b.add(e, b.choose(small, b.c(-24), b.c(0)))
	f := b.sub(b.addWord(b.and(k, b.w(0x7fffff)), b.w(root)), b.c(1))
	p := b.horner(f, logCoefficients...)
	s := b.mul(f, f)
	r := b.fma(b.mul(s, f), p, b.mul(e, b.c(-2.12194440e-4)))
	r = b.fma(s, b.c(-0.5), r)
	r = b.fma(e, b.c(0.693359375), b.add(f, r))
	// 0 gives -Inf, what is negative or NaN gives NaN, +Inf stays.
	r = b.choose(b.less(x, b.c(math.Inf(1))), r, x)
	zero := b.atMostEq(x, b.c(0))
	return b.choose(zero, b.choose(b.less(x, b.c(0)), b.c(math.NaN()), b.c(math.Inf(-1))), r)
}

// softplus is log(1 + e^x).
func (b *body) softplus(x int) int { return b.softplusOf(x, b.exp(b.negative(b.size(x)))) }

// softplusOf is max(x,0) + log(1+z) with z = e^-|x|, and log(1+z) = 2 atanh(z/(2+z)).
func (b *body) softplusOf(x, z int) int {
	s := b.div(z, b.add(z, b.c(2)))
	q := b.mul(s, s)
	log := b.fma(b.mul(b.horner(q, atanhCoefficients...), q), s, b.add(s, s))
	return b.add(b.choose(b.less(x, b.c(0)), b.c(0), x), log)
}

// normal returns the distribution function of the normal distribution and e^(-x^2/2).
//
// For t = |x|: Phi(-t) = e^(-t^2/2) * w * P(1-2w) with w = k/(k+t); it is 0 in float32 from 14.2 on. The error of t*t, which the exponential would enlarge, is taken along.
func (b *body) normal(x int) (cdf, e int) {
	t := b.atMost(b.size(x), b.c(15))
	s := b.mul(t, t)
	rest := b.mul(b.fnma(t, t, s), b.c(0.5))
	e = b.exp(b.mul(s, b.c(-0.5)))
	e = b.fma(e, rest, e)
	w := b.div(b.c(millsK), b.add(t, b.c(millsK)))
	h := b.mul(e, b.mul(w, b.horner(b.fnma(w, b.c(2), b.c(1)), millsCoefficients...)))
	return b.choose(b.less(x, b.c(0)), h, b.sub(b.c(1), h)), e
}

// halfOf is x rounded to bfloat16, ties to even, as a word; a NaN becomes a quiet one.
func (b *body) halfOf(x int) int {
	odd := b.and(b.shiftR(x, 16), b.w(1))
	r := b.addWord(b.addWord(x, b.w(0x7fff)), odd)
	return b.shiftR(b.choose(b.atMostEq(x, x), r, b.or(x, b.w(0x400000))), 16)
}
