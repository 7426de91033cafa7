package kernels

import "artel/tensor"

// Norms holds row normalisations.
type Norms struct {
	RMSNorm       func(RMSNorm)
	RMSNormGrad   func(RMSNormGrad)
	LayerNorm     func(LayerNorm)
	LayerNormGrad func(LayerNormGrad)
	Softmax       func(Softmax)
	SoftmaxGrad   func(SoftmaxGrad)
}

// RMSNorm is Y[i,:] = X[i,:] * rstd_i * W with rstd_i = 1/sqrt(mean(X[i,:]^2) + Eps) (Zhang & Sennrich 2019, eq. 4).
//
//	X, Y [N,D]  W [D] or none (ones)  RStd [N]: saved for the gradient
type RMSNorm struct {
	Y, X, W, RStd tensor.Tensor
	Eps           float64
}

// RMSNormGrad is the gradient of RMSNorm. With a = act(c), xh = X[a,:]*rstd_a and h = dY[c,:]*W:
//
//	dX[c,:] (=|+=) rstd_a * (h - xh * mean(h*xh))
//	DstW[0][t] (=|+=) sum over segment rows of dY[row,:] * xh      (by segments, when DstW is given)
//
//	X [N,D]  RStd [N]  DY, DX [C,D]  DstW [1,M,D]  Touched I32 [1,M]  Segs I32 [S,SegCols]; DX may be none.
type RMSNormGrad struct {
	DX, X, W, RStd, DY, Act tensor.Tensor
	Segs, DstW, Touched     tensor.Tensor
	Accumulate              bool
}

// LayerNorm is Y[i,:] = (X[i,:]-mean_i) * rstd_i * W + B with rstd_i = 1/sqrt(var_i + Eps), var biased (Ba et al. 2016).
//
//	X, Y [N,D]  W, B [D] or none  Stat [N,2]: mean and rstd, saved for the gradient
type LayerNorm struct {
	Y, X, W, B, Stat tensor.Tensor
	Eps              float64
}

// LayerNormGrad is the gradient of LayerNorm with respect to X and, by segments, to W. With xh = (X[a,:]-mean_a)*rstd_a, h = dY[c,:]*W:
//
//	dX[c,:] (=|+=) rstd_a * (h - mean(h) - xh * mean(h*xh))
//	DstW[0][t] (=|+=) sum over segment rows of dY[row,:] * xh
//
// The gradient of B is GradB. Shapes as in RMSNormGrad; Stat [N,2].
type LayerNormGrad struct {
	DX, X, W, Stat, DY, Act tensor.Tensor
	Segs, DstW, Touched     tensor.Tensor
	Accumulate              bool
}

// Softmax is Y[i,j] = exp(X[i,j]-max_i) / sum_j exp(X[i,j]-max_i); entries of -Inf give 0; a row of only -Inf gives NaN.
//
//	X, Y [N,E]; Y may be X.
type Softmax struct{ Y, X tensor.Tensor }

// SoftmaxGrad is dX[c,:] (=|+=) Y[a,:] * (dY[c,:] - <Y[a,:], dY[c,:]>) with a = act(c).
//
//	Y [N,E]  DY, DX [C,E]  Act I32 [C] or none
type SoftmaxGrad struct {
	DX, Y, DY, Act tensor.Tensor
	Accumulate     bool
}
