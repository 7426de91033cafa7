package kernels

import "artel/tensor"

// Moves holds the ops that move elements without arithmetic on more than one input row.
type Moves struct {
	Fill        func(dst tensor.Tensor, v float64) // dst[...] = v, any strides, any type
	Copy        func(Copy)
	Axpy        func(Axpy)
	GatherRows  func(GatherRows)
	ScatterRows func(ScatterRows)
	GatherCols  func(GatherCols)
	ScatterCols func(ScatterCols)
}

// Copy is dst = src for equal shapes of rank <= 4, any strides; float types are converted (round to nearest even). Either side may be in
// the process's own memory, on any backend: that is how numbers get to a device and back. The device's side is contiguous then.
type Copy struct{ Dst, Src tensor.Tensor }

// Axpy is dst = alpha*src, or dst += alpha*src when Accumulate, for equal shapes of rank <= 2, last stride 1. Dst may be Src. By (F64 [1] or none) is a further factor;
// where it is NaN nothing is written.
type Axpy struct {
	Dst, Src   tensor.Tensor
	Alpha      float64
	By         tensor.Tensor
	Accumulate bool
}

// GatherRows is dst[i,:] = src[index[i],:]; a negative index gives a zero row.
//
//	Src [N,D]  Index I32 [n]  Dst [n,D]; Src and Dst are both float or both I32.
type GatherRows struct{ Dst, Src, Index tensor.Tensor }

// ScatterRows is dst[index[i],:] += src[i,:] for i in order; a negative index skips the row. Dst is float.
//
//	Src [n,D]  Index I32 [n]  Dst [N,D]
type ScatterRows struct{ Dst, Src, Index tensor.Tensor }

// GatherCols is Dst[i,j] = Src[i,Index[j]]: the same columns of every row, such as the pixels of overlapping patches.
//
//	Src [N,D]  Index I32 [n], 0 <= Index[j] < D  Dst [N,n]; float
type GatherCols struct{ Dst, Src, Index tensor.Tensor }

// ScatterCols is Dst[i,Index[j]] += Src[i,j] for j in order: the transpose of GatherCols. Without Accumulate Dst is zero before.
//
//	Src [N,n]  Index I32 [n], 0 <= Index[j] < D  Dst [N,D]; float
type ScatterCols struct {
	Dst, Src, Index tensor.Tensor
	Accumulate      bool
}
