package ref

import (
	"math"

	"artel/kernels"
)

// function is a function of one variable with its derivative.
type function struct{ value, slope func(x float64) float64 }

// functions is indexed by kernels.Unary.
var functions = [...]function{
	kernels.Identity: {func(x float64) float64 { return x }, func(float64) float64 { return 1 }},
	kernels.ReLU: {func(x float64) float64 { return math.Max(x, 0) }, func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x <= 0:
			return 0
		}
		return x // NaN
	}},
	kernels.GELU: {gelu, func(x float64) float64 {
		return normalCDF(x) + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
	}},
	kernels.SiLU: {silu, func(x float64) float64 {
		s := sigmoid(x)
		return s * (1 + x*(1-s))
	}},
	kernels.Sigmoid: {sigmoid, func(x float64) float64 {
		return sigmoid(x) * sigmoid(-x)
	}},
	kernels.Tanh: {math.Tanh, func(x float64) float64 {
		y := math.Tanh(x)
		return 1 - y*y
	}},
	kernels.Exp:    {math.Exp, math.Exp},
	kernels.Log:    {math.Log, func(x float64) float64 { return 1 / x }},
	kernels.Square: {func(x float64) float64 { return x * x }, func(x float64) float64 { return 2 * x }},
	kernels.Softplus: {func(x float64) float64 {
		return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
	}, sigmoid},
}

func gelu(x float64) float64    { return x * normalCDF(x) }
func silu(x float64) float64    { return x * sigmoid(x) }
func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// normalCDF is Phi(x); erfc keeps its digits for very negative x, where 1+erf cancels.
func normalCDF(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// gateFunction is indexed by kernels.Gate: the activation applied to h, or to g of [g | u].
var gateFunction = [...]function{
	kernels.SwiGLU:    functions[kernels.SiLU],
	kernels.GELUAct:   functions[kernels.GELU],
	kernels.ReLUAct:   functions[kernels.ReLU],
	kernels.LinearAct: functions[kernels.Identity],
}
