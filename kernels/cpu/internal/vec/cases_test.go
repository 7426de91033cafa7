package vec_test

import (
	"math"

	"artel/kernels/cpu/internal/vec"
)

const (
	ca = 0.7 // the scalars of all cases
	cb = -0.3
	cc = 0.11
	cd = 0.05
)

var (
	adam = vec.AdamStep{Scale: 0.5, L2: 0.1, B1: 0.9, NB1: 0.1, B2: 0.99, NB2: 0.01, Keep: 0.999, Rate: 0.01, Root: 1.5, Eps: 1e-8}
	sgd  = vec.SGDStep{Scale: 0.5, Decay: 0.1, LR: 0.01, Momentum: 0.9, Take: 0.8}
	lion = vec.LionStep{Scale: 0.5, B1: 0.9, NB1: 0.1, B2: 0.99, NB2: 0.01, LR: 0.01, Decay: 0.1}
)

// loopCase is a loop with its definition: how it is called, and what it does to one element in float64.
type loopCase struct {
	name   string
	slices int
	run    func(s *vec.Set, v [][]float32) []float32 // returns the sums
	// want returns the elements of all slices afterwards and what the element adds to the sums; rough is the size that errors are relative to.
	want func(e []float64) (after, sums []float64, rough float64)
}

// mapCase is dst = f(x).
func mapCase(name string, run func(s *vec.Set) func(dst, x []float32), f func(x float64) float64) loopCase {
	return loopCase{name, 2, func(s *vec.Set, v [][]float32) []float32 { run(s)(v[0], v[1]); return nil },
		func(e []float64) ([]float64, []float64, float64) {
			return []float64{f(e[1]), e[1]}, nil, 1 + math.Abs(f(e[1]))
		}}
}

// gradCase is dx = f(x)*dy.
func gradCase(name string, run func(s *vec.Set) func(dx, x, dy []float32), f func(x float64) float64) loopCase {
	return pointCase(name, run, func(_, x, dy float64) float64 { return f(x) * dy })
}

// pointCase is dst = f(dst, x, y).
func pointCase(name string, run func(s *vec.Set) func(dst, x, y []float32), f func(d, x, y float64) float64) loopCase {
	return loopCase{name, 3, func(s *vec.Set, v [][]float32) []float32 { run(s)(v[0], v[1], v[2]); return nil },
		func(e []float64) ([]float64, []float64, float64) {
			w := f(e[0], e[1], e[2])
			return []float64{w, e[1], e[2]}, nil, 1 + math.Abs(w) + math.Abs(e[1]*e[2]) + math.Abs(e[0])
		}}
}

// sumCase adds up f and leaves its slices alone.
func sumCase(name string, n int, run func(s *vec.Set, v [][]float32) []float32, f func(e []float64) []float64) loopCase {
	return loopCase{name, n, run, func(e []float64) ([]float64, []float64, float64) { return e, f(e), 1 }}
}

func one(v float32) []float32    { return []float32{v} }
func two(v, w float32) []float32 { return []float32{v, w} }

func silu(x float64) (y, d float64) {
	s := sigmoid(x)
	return x * s, s + x*s*(1-s)
}

func geluGrad(x float64) float64 {
	return 0.5*math.Erfc(-x/math.Sqrt2) + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func step(x float64) float64 {
	if x > 0 {
		return 1
	}
	return 0
}

type (
	loop2 = func(dst, x, y []float32)
	set   = *vec.Set
)

// cases lists the maps, gates and sums; see also updateCases.
func cases() []loopCase {
	f32 := func(v float64) float64 { return float64(float32(v)) }
	a, b, c, d := f32(ca), f32(cb), f32(cc), f32(cd)
	list := []loopCase{
		sumCase("Dot", 2, func(s set, v [][]float32) []float32 { return one(s.Dot(v[0], v[1])) },
			func(e []float64) []float64 { return []float64{e[0] * e[1]} }),
		sumCase("Inner", 2, func(s set, v [][]float32) []float32 { return one(s.Inner(v[0], v[1])) },
			func(e []float64) []float64 { return []float64{e[0] * e[1]} }),
		pointCase("Mix2", func(s set) loop2 { return func(dst, x, y []float32) { s.Mix2(dst, x, y, ca, cb) } }, func(_, x, y float64) float64 { return a*x + b*y }),
		{"Mix3", 4, func(s set, v [][]float32) []float32 { s.Mix3(v[0], v[1], v[2], v[3], ca, cb, cc); return nil },
			func(e []float64) ([]float64, []float64, float64) {
				return []float64{a*e[1] + b*e[2] + c*e[3], e[1], e[2], e[3]}, nil, 1 + math.Abs(e[1]) + math.Abs(e[2]) + math.Abs(e[3])
			}},
		{"Mix4", 5, func(s set, v [][]float32) []float32 { s.Mix4(v[0], v[1], v[2], v[3], v[4], ca, cb, cc, cd); return nil },
			func(e []float64) ([]float64, []float64, float64) {
				return []float64{a*e[1] + b*e[2] + c*e[3] + d*e[4], e[1], e[2], e[3], e[4]}, nil, 1 + math.Abs(e[1]) + math.Abs(e[2]) + math.Abs(e[3]) + math.Abs(e[4])
			}},
		sumCase("Dot3", 3, func(s set, v [][]float32) []float32 { return one(s.Dot3(v[0], v[1], v[2])) },
			func(e []float64) []float64 { return []float64{e[0] * e[1] * e[2]} }),
		sumCase("Moments", 1, func(s set, v [][]float32) []float32 { return two(s.Moments(v[0], ca)) },
			func(e []float64) []float64 { return []float64{e[0] - a, (e[0] - a) * (e[0] - a)} }),
		sumCase("NormSums", 2, func(s set, v [][]float32) []float32 { return two(s.NormSums(v[0], v[1], ca, cb)) },
			func(e []float64) []float64 { return []float64{e[1], e[1] * (e[0] - a) * b} }),
		mapCase("Axpy0", func(s set) loop1 { return func(dst, x []float32) { s.Scale(dst, x, cb); s.Axpy(dst, x, ca) } }, func(x float64) float64 { return (a + b) * x }),
		mapCase("Affine", func(s set) loop1 { return func(dst, x []float32) { s.Affine(dst, x, ca, cb) } }, func(x float64) float64 { return a*x + b }),
		pointCase("Axpy", func(s set) loop2 { return func(dst, x, _ []float32) { s.Axpy(dst, x, ca) } }, func(d, x, _ float64) float64 { return d + a*x }),
		pointCase("Axpy2", func(s set) loop2 { return func(dst, x, y []float32) { s.Axpy2(dst, x, y, ca, cb) } }, func(d, x, y float64) float64 { return d + a*x + b*y }),
		pointCase("Add", func(s set) loop2 { return s.Add }, func(_, x, y float64) float64 { return x + y }),
		pointCase("Mul", func(s set) loop2 { return s.Mul }, func(_, x, y float64) float64 { return x * y }),
		pointCase("MulAdd", func(s set) loop2 { return s.MulAdd }, func(d, x, y float64) float64 { return d + x*y }),
		pointCase("Div", func(s set) loop2 { return s.Div }, func(_, x, y float64) float64 { return x / y }),
		mapCase("Exp", func(s set) loop1 { return s.Exp }, math.Exp),
		mapCase("Sigmoid", func(s set) loop1 { return s.Sigmoid }, sigmoid),
		mapCase("Tanh", func(s set) loop1 { return s.Tanh }, math.Tanh),
		mapCase("Softplus", func(s set) loop1 { return s.Softplus }, softplus),
		mapCase("GELU", func(s set) loop1 { return s.GELU }, gelu),
		mapCase("SiLU", func(s set) loop1 { return s.SiLU }, func(x float64) float64 { y, _ := silu(x); return y }),
		mapCase("ReLU", func(s set) loop1 { return s.ReLU }, func(x float64) float64 { return max(x, 0) }),
		mapCase("Log", func(s set) loop1 { return func(dst, x []float32) { s.Mul(dst, x, x); s.Log(dst, dst) } }, func(x float64) float64 { return math.Log(f32(x * x)) }),
		gradCase("ExpGrad", func(s set) loop2 { return s.ExpGrad }, math.Exp),
		gradCase("SigmoidGrad", func(s set) loop2 { return s.SigmoidGrad }, bell),
		gradCase("TanhGrad", func(s set) loop2 { return s.TanhGrad }, func(x float64) float64 { return 4 * bell(2*x) }),
		gradCase("SoftplusGrad", func(s set) loop2 { return s.SoftplusGrad }, sigmoid),
		gradCase("GELUGrad", func(s set) loop2 { return s.GELUGrad }, geluGrad),
		gradCase("SiLUGrad", func(s set) loop2 { return s.SiLUGrad }, func(x float64) float64 { _, d := silu(x); return d }),
		gradCase("ReLUGrad", func(s set) loop2 { return s.ReLUGrad }, step),
		pointCase("SiluMul", func(s set) loop2 { return func(x, y, z []float32) { s.SiluMul(x, y, z, ca) } },
			func(_, g, u float64) float64 { y, _ := silu(g); return a * y * u }),
		{"SiluMulGrad", 5, func(s set, v [][]float32) []float32 { return one(s.SiluMulGrad(v[0], v[1], v[2], v[3], v[4], ca)) },
			func(e []float64) ([]float64, []float64, float64) {
				y, dy := silu(e[2])
				return []float64{a * e[4] * e[3] * dy, a * e[4] * y, e[2], e[3], e[4]}, []float64{e[4] * y * e[3]}, 1 + math.Abs(e[4])*(1+math.Abs(e[3])+math.Abs(e[2]))
			}},
		mapCase("GELUGate", func(s set) loop1 { return func(dst, x []float32) { s.GELUGate(dst, x, ca) } }, func(x float64) float64 { return a * gelu(x) }),
		{"GELUGateGrad", 3, func(s set, v [][]float32) []float32 { return one(s.GELUGateGrad(v[0], v[1], v[2], ca)) },
			func(e []float64) ([]float64, []float64, float64) {
				return []float64{a * geluGrad(e[1]) * e[2], e[1], e[2]}, []float64{gelu(e[1]) * e[2]}, 1 + math.Abs(e[2])
			}},
		{"ReLUGateGrad", 3, func(s set, v [][]float32) []float32 { return one(s.ReLUGateGrad(v[0], v[1], v[2], ca)) },
			func(e []float64) ([]float64, []float64, float64) {
				return []float64{a * step(e[1]) * e[2], e[1], e[2]}, []float64{max(e[1], 0) * e[2]}, 1 + math.Abs(e[2])
			}},
		pointCase("ScaleMul", func(s set) loop2 { return func(x, y, z []float32) { s.ScaleMul(x, y, z, ca) } }, func(_, x, w float64) float64 { return a * x * w }),
		mapCase("Normalize", func(s set) loop1 { return func(x, y []float32) { s.Normalize(x, y, ca, cb) } }, func(x float64) float64 { return (x - a) * b }),
		{"NormalizeMulAdd", 4, func(s set, v [][]float32) []float32 { s.NormalizeMulAdd(v[0], v[1], v[2], v[3], ca, cb); return nil },
			func(e []float64) ([]float64, []float64, float64) {
				return []float64{(e[1]-a)*b*e[2] + e[3], e[1], e[2], e[3]}, nil, 1 + math.Abs(e[1]*e[2]) + math.Abs(e[2]) + math.Abs(e[3])
			}},
		pointCase("NormGradW", func(s set) loop2 { return func(x, y, z []float32) { s.NormGradW(x, y, z, ca, cb) } },
			func(d, x, dy float64) float64 { return d + dy*(x-a)*b }),
		pointCase("NormGrad", func(s set) loop2 { return func(x, y, z []float32) { s.NormGrad(x, y, z, ca, cb, cc, cd) } },
			func(_, x, h float64) float64 { return b * (h - c - (x-a)*d) }),
		pointCase("NormGradAdd", func(s set) loop2 { return func(x, y, z []float32) { s.NormGradAdd(x, y, z, ca, cb, cc, cd) } },
			func(o, x, h float64) float64 { return o + b*(h-c-(x-a)*d) }),
		{"NormGradMul", 4, func(s set, v [][]float32) []float32 { s.NormGradMul(v[0], v[1], v[2], v[3], cb, cd); return nil },
			func(e []float64) ([]float64, []float64, float64) {
				return []float64{b * (e[2]*e[3] - e[1]*d), e[1], e[2], e[3]}, nil, 1 + math.Abs(e[2]*e[3]) + math.Abs(e[1])
			}},
		{"NormGradMulAdd", 4, func(s set, v [][]float32) []float32 { s.NormGradMulAdd(v[0], v[1], v[2], v[3], cb, cd); return nil },
			func(e []float64) ([]float64, []float64, float64) {
				return []float64{e[0] + b*(e[2]*e[3]-e[1]*d), e[1], e[2], e[3]}, nil, 1 + math.Abs(e[0]) + math.Abs(e[2]*e[3]) + math.Abs(e[1])
			}},
		{"ExpSum", 2, func(s set, v [][]float32) []float32 { return one(s.ExpSum(v[0], v[1], ca)) },
			func(e []float64) ([]float64, []float64, float64) {
				y := math.Exp(e[1] - a)
				return []float64{y, e[1]}, []float64{y}, 1 + y*(1+math.Abs(e[1]))
			}},
		{"BCE", 3, func(s set, v [][]float32) []float32 { return one(s.BCE(v[0], v[1], v[2], ca)) },
			func(e []float64) ([]float64, []float64, float64) {
				return []float64{a * (sigmoid(e[1]) - e[2]), e[1], e[2]}, []float64{softplus(e[1]) - e[1]*e[2]}, 1 + math.Abs(e[1]) + math.Abs(e[2])
			}},
		pointCase("SoftmaxGrad", func(s set) loop2 { return func(x, y, z []float32) { s.SoftmaxGrad(x, y, z, ca) } }, func(_, p, g float64) float64 { return p * (g - a) }),
		pointCase("SoftmaxGradAdd", func(s set) loop2 { return func(x, y, z []float32) { s.SoftmaxGradAdd(x, y, z, ca) } }, func(o, p, g float64) float64 { return o + p*(g-a) }),
	}
	return append(list, updateCases()...)
}

// updateCases lists the optimizers' loops.
func updateCases() []loopCase {
	f := func(v float32) float64 { return float64(v) }
	sgdLike := func(nesterov bool) func(e []float64) ([]float64, []float64, float64) {
		return func(e []float64) ([]float64, []float64, float64) {
			x := f(sgd.Scale)*e[1] + f(sgd.Decay)*e[0]
			if len(e) == 2 {
				return []float64{e[0] - f(sgd.LR)*x, e[1]}, nil, 1 + math.Abs(e[0])
			}
			m := f(sgd.Momentum)*e[2] + f(sgd.Take)*x
			d := m
			if nesterov {
				d = x + f(sgd.Momentum)*m
			}
			return []float64{e[0] - f(sgd.LR)*d, e[1], m}, nil, 1 + math.Abs(e[0]) + math.Abs(m) + math.Abs(x)
		}
	}
	return []loopCase{
		{"SGD", 2, func(s set, v [][]float32) []float32 { s.SGD(v[0], v[1], &sgd); return nil }, sgdLike(false)},
		{"SGDMomentum", 3, func(s set, v [][]float32) []float32 { s.SGDMomentum(v[0], v[1], v[2], &sgd); return nil }, sgdLike(false)},
		{"SGDNesterov", 3, func(s set, v [][]float32) []float32 { s.SGDNesterov(v[0], v[1], v[2], &sgd); return nil }, sgdLike(true)},
		{"Lion", 3, func(s set, v [][]float32) []float32 { s.Lion(v[0], v[1], v[2], &lion); return nil },
			func(e []float64) ([]float64, []float64, float64) {
				x := f(lion.Scale) * e[1]
				u, sign := f(lion.B1)*e[2]+f(lion.NB1)*x, 0.0
				if u != 0 {
					sign = math.Copysign(1, u)
				}
				return []float64{e[0] - f(lion.LR)*(sign+f(lion.Decay)*e[0]), e[1], f(lion.B2)*e[2] + f(lion.NB2)*x}, nil, 1 + math.Abs(e[0]) + math.Abs(e[2])
			}},
		{"Adam", 4, func(s set, v [][]float32) []float32 {
			s.Mul(v[3], v[3], v[3]) // the second moment is not negative
			s.Adam(v[0], v[1], v[2], v[3], &adam)
			return nil
		}, func(e []float64) ([]float64, []float64, float64) {
			x := f(adam.Scale)*e[1] + f(adam.L2)*e[0]
			m := f(adam.B1)*e[2] + f(adam.NB1)*x
			v := f(adam.B2)*e[3]*e[3] + f(adam.NB2)*x*x
			rate := f(adam.Rate) / (math.Sqrt(v)*f(adam.Root) + f(adam.Eps))
			return []float64{f(adam.Keep)*e[0] - rate*m, e[1], m, v}, nil, 1 + math.Abs(e[0]) + math.Abs(m)*rate + math.Abs(v)
		}},
	}
}
