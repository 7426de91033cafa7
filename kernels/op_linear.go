package kernels

import "artel/tensor"

// Linear holds matrix products and their gradients with respect to weights.
//
// A backend whose Products is BF16 rounds the elements of A and B, and of X and DY of GradW, to the nearest bfloat16 (ties to even) and adds
// exact products in float32; C, Bias and Dst keep the backend's Float. GradB, Embed and EmbedGrad are not products.
//
// With Halves each of these operands may be a tensor of dtype BF16 instead of Float, whatever the other one is, and so may those of CellGram and of
// the ops of Experts. The result is bit for bit that of a Float tensor with the same values. What is only an operand afterwards may be written as BF16:
// rounded to nearest, ties to even, when it is stored, where numbers below the smallest normal one may become 0. That is said for each op.
type Linear struct {
	GEMM        func(GEMM)
	GroupedGEMM func(GroupedGEMM)
	GradW       func(GradW)
	GradB       func(GradB)
	Embed       func(Embed)
	EmbedGrad   func(EmbedGrad)
}

// GEMM is a product and what follows it element by element:
//
//	Pre    = A*B + Bias                               kept only when given
//	C[i,:] = Scale[i] * F(Pre[i,:]) + Residual[i,:]
//
//	A [m,k]  B [k,n]  C [m,n]  Bias [n] or none  F: Identity when not set  Pre [m,n] or none  Scale [m] or none  Residual [m,n] or none
//
// Or C += A*B + Bias when Accumulate, which goes with neither F, Pre, Scale nor Residual.
// A and B may have any strides of which one is 1 (so transposes are views). Products are summed in float32 for F32. An
// empty sum (k = 0) is 0.
type GEMM struct {
	A, B, C         tensor.Tensor
	Bias            tensor.Tensor
	F               Unary
	Pre             tensor.Tensor
	Scale, Residual tensor.Tensor
	Accumulate      bool
}

// GroupedGEMM multiplies runs of rows by their group's matrix: for r in [Off[g], Off[g+1])
//
//	C[r,:] = A[Index[r],:] * B[g]        (A[r,:] without Index)
//
//	A [N,k]  Index I32 [>=R] or none  B [G,k,n]  C [>=R,n]  Off I32 [G+1], non-decreasing, Off[0] = 0, R = Off[G]
//
// The last two dimensions of B may be transposed views; rows of C from R on are left alone. With Halves C may be BF16.
type GroupedGEMM struct {
	A, Index, B, C, Off tensor.Tensor
}

// GradW accumulates the gradient of a weight matrix for every (group, task), cut at segment borders. For each segment
// {g, t, act0, row0, n} in order:
//
//	Dst[g][t] (=|+=) sum over i < n of X[xi(act0+i),:]^T * dY[yi(row0+i),:]
//
//	X [N,k]   XIndex I32 or none: xi(r) = XIndex[r]    (gathered activations)
//	DY [C,n]  YIndex I32 or none: yi(r) = YIndex[r]    (gathered cotangents)
//	Dst [G,M,k,n] (last two dimensions may be a transposed view), Touched I32 [G,M], Segs I32 [S,SegCols]
//
// The order of summation depends on the segment alone, never on threads. See the package comment for Touched and for
// segments without rows.
type GradW struct {
	X, XIndex, DY, YIndex tensor.Tensor
	Segs                  tensor.Tensor
	Dst, Touched          tensor.Tensor
}

// GradB accumulates column sums of cotangent rows (the gradient of a bias) for every (group, task):
//
//	Dst[g][t] (=|+=) sum over i < n of dY[row0+i,:]
//
//	DY [C,n]  Segs I32 [S,SegCols]  Dst [G,M,n]  Touched I32 [G,M]
type GradB struct {
	DY, Segs     tensor.Tensor
	Dst, Touched tensor.Tensor
}

// Embed sums the table rows of each bag of ids: Dst[i,:] = scale(i) * sum over j in [Off[i],Off[i+1]) of Table[IDs[j],:]
// with scale 1, or 1/(bag length) when Mean; an empty bag gives zeros. Without Off every row is a bag of one id.
//
//	Table [V,D]  IDs I32 [L]  Off I32 [N+1] or none  Dst [N,D]
type Embed struct {
	Table, IDs, Off, Dst tensor.Tensor
	Mean                 bool
}

// EmbedGrad is the gradient of Embed with respect to the table: for each segment {0, t, act0, row0, n} in order, i < n,
// j in the bag of row act0+i:
//
//	Dst[t][IDs[j],:] += scale(act0+i) * dY[row0+i,:]
//
//	DY [C,D]  Dst [1,M,V,D]  Touched I32 [1,M]
//
// An untouched destination is zeroed as a whole before its first segment with rows, even when all their bags are empty.
type EmbedGrad struct {
	IDs, Off, DY, Segs tensor.Tensor
	Dst, Touched       tensor.Tensor
	Mean               bool
}
