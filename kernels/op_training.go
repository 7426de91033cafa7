package kernels

import "artel/tensor"

// Training holds the ops on flat gradients and parameters.
type Training struct {
	Gram       func(Gram)
	CrossGram  func(CrossGram)
	Combine    func(Combine)
	SumSquares func(SumSquares)
	SGD        func(SGD)
	Adam       func(Adam)
	Lion       func(Lion)
}

// Gram adds the inner products of task gradients: G[i,j] += <J[i,:], J[j,:]> for tasks i, j with Present; float64 result. The
// sum is made of fixed blocks of columns, so it does not depend on threads.
//
//	J [M,P] (rows may be strided)  Present I32 [M]  G F64 [M,M]
type Gram struct{ J, Present, G tensor.Tensor }

// CrossGram is Gram for the task gradients of two independent batches: G[i,j] += <J[i,:], K[j,:]> for tasks i, j with Present; G is not symmetric.
//
//	J, K [M,P]  Present I32 [M]  G F64 [M,M]
type CrossGram struct{ J, K, Present, G tensor.Tensor }

// Combine is Dst[:] = sum over present tasks t of W[t] * J[t,:]; without a present task Dst is 0. SumSq, when given,
// receives += |Dst|^2 (for clipping), summed like Gram.
//
//	J [M,P]  Present I32 [M]  W F64 [M]  Dst [P]  SumSq F64 [1] or none; Dst may be a row of J.
type Combine struct{ Dst, J, Present, W, SumSq tensor.Tensor }

// SumSquares is Dst[0] += sum of X^2 in float64, in fixed blocks.   X [P]  Dst F64 [1]
type SumSquares struct{ Dst, X tensor.Tensor }

// SGD is one step of stochastic gradient descent in the form and order of torch.optim.SGD: with g = Scale*By*G + Decay*P,
//
//	m = Momentum*m + (1-Dampening)*g  (m = g on the first step);  d = g + Momentum*m if Nesterov else m  (d = g without momentum)
//	P -= LR * d
//
//	P, G [n]  M [n], none without momentum  By F64 [1] or none: 1; where it is NaN nothing is written
type SGD struct {
	P, G, M                        tensor.Tensor
	LR, Momentum, Dampening, Decay float64
	Scale                          float64
	By                             tensor.Tensor
	Nesterov, First                bool
}

// Adam is one step of Adam (Kingma & Ba 2015) or, when Decoupled, AdamW (Loshchilov & Hutter 2019), in the order of torch.optim:
// g = Scale*By*G (+ Decay*P unless Decoupled); P *= 1 - LR*Decay if Decoupled;
//
//	m = b1*m + (1-b1)*g    v = b2*v + (1-b2)*g^2
//	P -= LR/(1-b1^Step) * m / (sqrt(v)/sqrt(1-b2^Step) + Eps)
//
//	P, G, M, V [n]  Step counts from 1  By as in SGD
type Adam struct {
	P, G, M, V                   tensor.Tensor
	LR, Beta1, Beta2, Eps, Decay float64
	Scale                        float64
	By                           tensor.Tensor
	Step                         int64
	Decoupled                    bool
}

// Lion is one step of Lion (Chen et al. 2023, algorithm 2): with g = Scale*By*G,
//
//	P -= LR * (sign(b1*m + (1-b1)*g) + Decay*P);  m = b2*m + (1-b2)*g        (sign(0) = 0)
//
//	P, G, M [n]  By as in SGD
type Lion struct {
	P, G, M                 tensor.Tensor
	LR, Beta1, Beta2, Decay float64
	Scale                   float64
	By                      tensor.Tensor
}
