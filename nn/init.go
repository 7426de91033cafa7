package nn

import (
	"math"

	"artel/param"
	"artel/rng"
)

// Zeros starts at 0.
func Zeros(rng.Stream, int) float64 { return 0 }

// Ones starts at 1.
func Ones(rng.Stream, int) float64 { return 1 }

// Constant starts at v.
func Constant(v float64) param.Init { return func(rng.Stream, int) float64 { return v } }

// Normal draws from a normal distribution with the given standard deviation.
func Normal(std float64) param.Init {
	return func(s rng.Stream, _ int) float64 { return std * s.Normal() }
}

// TruncNormal draws from a normal distribution cut at two standard deviations, by redrawing.
func TruncNormal(std float64) param.Init {
	return func(s rng.Stream, _ int) float64 {
		for {
			if v := s.Normal(); math.Abs(v) <= 2 {
				return std * v
			}
		}
	}
}

// Uniform draws from [-bound, bound).
func Uniform(bound float64) param.Init {
	return func(s rng.Stream, _ int) float64 { return bound * (2*s.Float64() - 1) }
}

// XavierUniform is Uniform with bound sqrt(6/(in+out)) (Glorot & Bengio 2010, eq. 16).
func XavierUniform(in, out int) param.Init { return Uniform(math.Sqrt(6 / float64(in+out))) }

// XavierNormal is Normal with standard deviation sqrt(2/(in+out)).
func XavierNormal(in, out int) param.Init { return Normal(math.Sqrt(2 / float64(in+out))) }

// KaimingUniform is Uniform with bound sqrt(6/((1+a^2)*in)) for a leaky ReLU of slope a (He et al. 2015, eq. 15); a = sqrt(5) gives
// the bound 1/sqrt(in) that torch.nn.Linear starts with.
func KaimingUniform(in int, a float64) param.Init {
	return Uniform(math.Sqrt(6 / ((1 + a*a) * float64(in))))
}

// KaimingNormal is Normal with standard deviation sqrt(2/((1+a^2)*in)).
func KaimingNormal(in int, a float64) param.Init {
	return Normal(math.Sqrt(2 / ((1 + a*a) * float64(in))))
}
