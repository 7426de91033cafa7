package ref

import (
	"math"

	"artel/kernels"
)

func sgd(a kernels.SGD) {
	P, G, M := vec(a.P), vec(a.G), vec(a.M)
	scale, ok := times(a.Scale, a.By)
	for i := 0; i < len(P) && ok; i++ {
		g := scale*G[i] + a.Decay*P[i]
		d := g
		if a.Momentum != 0 {
			if a.First {
				M[i] = g
			} else {
				M[i] = a.Momentum*M[i] + (1-a.Dampening)*g
			}
			d = M[i]
			if a.Nesterov {
				d = g + a.Momentum*M[i]
			}
		}
		P[i] -= a.LR * d
	}
}

func adam(a kernels.Adam) {
	P, G, M, V := vec(a.P), vec(a.G), vec(a.M), vec(a.V)
	c1 := 1 - math.Pow(a.Beta1, float64(a.Step))
	c2 := math.Sqrt(1 - math.Pow(a.Beta2, float64(a.Step)))
	scale, ok := times(a.Scale, a.By)
	for i := 0; i < len(P) && ok; i++ {
		g := scale * G[i]
		if a.Decoupled {
			P[i] *= 1 - a.LR*a.Decay
		} else {
			g += a.Decay * P[i]
		}
		M[i] = a.Beta1*M[i] + (1-a.Beta1)*g
		V[i] = a.Beta2*V[i] + (1-a.Beta2)*g*g
		P[i] -= a.LR / c1 * M[i] / (math.Sqrt(V[i])/c2 + a.Eps)
	}
}

func lion(a kernels.Lion) {
	P, G, M := vec(a.P), vec(a.G), vec(a.M)
	scale, ok := times(a.Scale, a.By)
	for i := 0; i < len(P) && ok; i++ {
		g := scale * G[i]
		P[i] -= a.LR * (sign(a.Beta1*M[i]+(1-a.Beta1)*g) + a.Decay*P[i])
		M[i] = a.Beta2*M[i] + (1-a.Beta2)*g
	}
}

// sign is -1, 0 or 1, and NaN for NaN.
func sign(x float64) float64 {
	if x == 0 || math.IsNaN(x) {
		return x
	}
	return math.Copysign(1, x)
}
