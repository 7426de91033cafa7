package nn

import (
	"artel/autograd"
	"artel/param"
)

// RMSNorm is y = x / sqrt(mean(x^2) + eps) * g (Zhang & Sennrich 2019, arXiv 1910.07467).
type RMSNorm struct {
	G   *param.Param // [D]
	Eps float64
}

// NewRMSNorm declares name.weight (ones); eps is 1e-6.
func NewRMSNorm(b *param.Builder, key param.Key, name string, width int) *RMSNorm {
	return &RMSNorm{G: b.Add(key, name+".weight", false, Ones, width), Eps: 1e-6}
}

// Forward normalises rows [N,D].
func (n *RMSNorm) Forward(t *autograd.Tape, x *autograd.Var) *autograd.Var {
	return autograd.RMSNorm(t, x, n.G, n.Eps)
}

// LayerNorm is y = (x - mean) / sqrt(var + eps) * g + b (Ba et al. 2016, arXiv 1607.06450).
type LayerNorm struct {
	G, B *param.Param // [D]
	Eps  float64
}

// NewLayerNorm declares name.weight (ones) and name.bias (zeros); eps is 1e-5.
func NewLayerNorm(b *param.Builder, key param.Key, name string, width int) *LayerNorm {
	return &LayerNorm{
		G:   b.Add(key, name+".weight", false, Ones, width),
		B:   b.Add(key, name+".bias", false, Zeros, width),
		Eps: 1e-5,
	}
}

// Forward normalises rows [N,D].
func (n *LayerNorm) Forward(t *autograd.Tape, x *autograd.Var) *autograd.Var {
	return autograd.LayerNorm(t, x, n.G, n.B, n.Eps)
}
