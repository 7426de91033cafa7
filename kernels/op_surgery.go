package kernels

import "artel/tensor"

// Surgery holds the ops on task gradients beyond inner products and combinations: tracked gradients, coordinate-wise rules, masks.
type Surgery struct {
	GradDrop    func(GradDrop)
	TrimmedMean func(TrimmedMean)
	Track       func(Track)
	Excess      func(Excess)
	MaskRows    func(MaskRows)
	Select      func(Select)
	Saliency    func(Saliency)
	CellGram    func(CellGram)
}

// GradDrop is gradient sign dropout (Chen et al. 2020, algorithm 1) on every coordinate p of the present task gradients:
//
//	q = (1 + sum_t J[t,p] / sum_t |J[t,p]|) / 2   (1/2 for 0/0)
//	Dst[p] = sum_t (leak_t + (1-leak_t) * m_t) * J[t,p],   m_t = 1 if q > u_p and J[t,p] > 0, or q < u_p and J[t,p] < 0; else 0
//
// u_p is word p%4 of the Philox block of Key at (Hi, (Offset+p)/4), with Offset a multiple of 4, over 2^32. Where q is within
// rounding of u_p either side of the comparison is right. A column whose present gradients are not all finite gives a value
// that is not finite.
//
//	J [M,P]  Present I32 [M]  Leak F64 [M]  Dst [P]  SumSq F64 [1] or none
type GradDrop struct {
	Dst, J, Present, Leak, SumSq tensor.Tensor
	Key, Hi                      uint64
	Offset                       int
}

// TrimmedMean is the mean of every coordinate over the present tasks without its k largest and k smallest values (Yin et al. 2018, arXiv 1803.01498,
// definition 2), k = min(Trim, (m-1)/2) for m present tasks; without a present task Dst is 0. A column with NaN gives NaN. SumSq, when given, receives
// += |Dst|^2.
//
//	J [M,P], M <= 64  Present I32 [M]  Dst [P]  SumSq F64 [1] or none
type TrimmedMean struct {
	Dst, J, Present, SumSq tensor.Tensor
	Trim                   int
}

// Track moves tracked task gradients: Y[t,:] = Keep[t]*Y[t,:] + Take[t]*J[t,:], without the second term where task t is not present. Where Keep is 1 and
// Take is 0 or the task is not present, the row is left alone.
//
//	Y, J [M,P]  Present I32 [M]  Keep, Take F64 [M]
type Track struct{ Y, J, Present, Keep, Take tensor.Tensor }

// Excess adds the squares of present task gradients to their sums and measures the gradients against them:
//
//	S[t,p] += J[t,p]^2;  Dst[t] += sum_p J[t,p]^2 / sqrt(S[t,p] + Eps)      (float64, in fixed blocks)
//
//	S, J [M,P]  Present I32 [M]  Dst F64 [M]
type Excess struct {
	S, J, Present, Dst tensor.Tensor
	Eps                float64
}

// MaskRows sets J[t,p] = 0 for present tasks t where Mask[p] is 0.   J [M,P]  Mask I32 [P]  Present I32 [M]
type MaskRows struct{ J, Mask, Present tensor.Tensor }

// Select sets Dst[p] = Src[p] where Mask[p] is 0.   Dst, Src [P]  Mask I32 [P]
type Select struct{ Dst, Src, Mask tensor.Tensor }

// Saliency is the two regularisers of Rep-MTL (Wang et al. 2025, arXiv 2507.21049) for the gradients S[t,i,:] of M tasks at a shared activation, and their gradient with
// respect to S. The first is the entropy of the tasks' shares in a row, the second is contrastive: a task's gradient of a row should be like the mean of all tasks'
// for that row, and unlike those of the other rows in a window. A matrix s s^T of a row has the cosine c^2 with another, for c the cosine of the rows.
//
//	s[t,i] = sum_d S[t,i,d] / D    A[i] = sum_t |s[t,i]|    P[t,i] = (|s[t,i]|/A[i] + Floor) / (1 + M*Floor)
//	E = sum_t,i -P[t,i] log P[t,i]                                                 (rows with A = 0 are left out)
//	x[t,i] = S[t,i,:] / |S[t,i,:]|    a[j] = m[j] / |m[j]|, m[j] = sum_t S[t,j,:]   (0 for 0/0)
//	c[t,i,j] = <x[t,i], a[j]>^2 / Temperature    for j in i's window [i - i%Window, i - i%Window + Window) of [0,N)
//	C = sum_t,i log sum_j exp(c[t,i,j] - c[t,i,i])
//	Loss[0] += Entropy*E    Loss[1] += Align*C    U = Entropy*dE/dS + Align*dC/dS
//
//	S, U [M,N*D], D = Width  Loss F64 [2]  Window >= 1  Floor > 0
type Saliency struct {
	S, U, Loss                         tensor.Tensor
	Width, Window                      int
	Entropy, Align, Temperature, Floor float64
}

// CellGram adds the inner products of the task gradients of a bank of matrices without making these: of what GradW would make for the same rows,
//
//	G[g,s,t] += sum over rows i of the segments of (g,s), j of those of (g,t) of <X[xi(i),:], X[xi(j),:]> * <DY[yi(i),:], DY[yi(j),:]>
//
// For n rows of a group that is n^2 (k + n') multiply-adds twice, where the gradients would be M*k*n' numbers. The segments of a group follow one another, groups in order. Like GradW
// it rounds X and DY where the backend's Products is BF16.
//
//	X [N,k]  XIndex I32 or none  DY [C,n']  YIndex I32 or none  Segs I32 [S,SegCols]  G F64 [Gr,M,M]
type CellGram struct{ X, XIndex, DY, YIndex, Segs, G tensor.Tensor }
