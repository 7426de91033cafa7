package kernels

import "artel/tensor"

// Routing holds the ops between tokens and experts.
type Routing struct {
	TopK             func(TopK)
	TopKGrad         func(TopKGrad)
	RoutePlan        func(RoutePlan)
	GatherSum        func(GatherSum)
	RowNormalize     func(RowNormalize)
	RowNormalizeGrad func(RowNormalizeGrad)
	CountPicks       func(CountPicks)
}

// TopK picks the K largest entries of each row, in falling order, ties to the lower column: Index[i,k] is the column and
// Value[i,k] = Src[i,Index[i,k]], where Src is X unless Src is given (pick by noisy or biased scores, weigh by clean ones).
//
//	X, Src [N,E]  Index I32 [N,K]  Value [N,K]
//
// K <= E. NaN counts as the smallest value, below -Inf.
type TopK struct{ X, Src, Index, Value tensor.Tensor }

// TopKGrad scatters the gradient of the picked values: dX[c,:] (=|+=) 0 except dX[c, Index[a,k]] += dV[c,k], a = act(c).
//
//	Index I32 [N,K]  DV [C,K]  DX [C,E]  Act I32 [C] or none. Negative indices are skipped.
type TopKGrad struct {
	DX, Index, DV, Act tensor.Tensor
	Accumulate         bool
}

// RowNormalize is Y[i,:] = X[i,:] / sum_j X[i,j].   X, Y [N,K]
type RowNormalize struct{ Y, X tensor.Tensor }

// RowNormalizeGrad is dX[c,:] (=|+=) (dY[c,:] - <dY[c,:], Y[a,:]>) / sum_j X[a,j], a = act(c).
type RowNormalizeGrad struct {
	DX, X, Y, DY, Act tensor.Tensor
	Accumulate        bool
}

// Plan is the routing of T tokens to E experts with K picks each, on the activation side and on the cotangent side.
// R = Off[E] <= T*K routed rows are kept; the rows of an expert are contiguous, in the order of (token, pick).
//
// Because tokens are grouped by task, the rows of an expert are grouped by task too: sorting by expert is sorting by
// (expert, task). When tokens are shared by tasks the cotangent side has M blocks of rows per expert.
//
// The entries of Token and Slot from R on, and those of CToken and CAct from COff[E] on, are undefined.
type Plan struct {
	T, K, E int // tokens, picks, experts
	C       int // cotangent rows of the tokens

	Off   tensor.Tensor // I32 [E+1]: routed rows of expert e are Off[e]..Off[e+1]
	Token tensor.Tensor // I32 [T*K]: token of a routed row
	Slot  tensor.Tensor // I32 [T*K]: pick number t*K+k of a routed row
	Inv   tensor.Tensor // I32 [T,K]: routed row of a pick, -1 when unused or dropped
	Count tensor.Tensor // I32 [E+1]: picks asked for by expert before capacity; Count[E] = dropped picks

	COff   tensor.Tensor // I32 [E+1]: like Off for cotangent rows
	CToken tensor.Tensor // I32 [C*K]: cotangent row (of the tokens) of a routed cotangent row
	CAct   tensor.Tensor // I32 [C*K]: routed row that a routed cotangent row belongs to; none when identical
	CInv   tensor.Tensor // I32 [C,K]: routed cotangent row of (cotangent row, pick), -1 when unused or dropped
	Segs   tensor.Tensor // I32 [E*S,SegCols]: segments of the routed rows, expert by expert
}

// RoutePlan fills a Plan from picks: a stable counting sort by expert. Negative entries of Index are unused picks. With
// Capacity > 0 an expert keeps the first Capacity picks in (token, pick) order and drops the rest.
//
//	Index I32 [T,K]
//	TokenSegs I32 [S,SegCols]: segments of the token rows; their activation rows cover [0,T), each pair of segments
//	has equal or disjoint activation rows, and the cotangent rows are disjoint and cover [0,C)
//
// The cotangent rows of expert e are laid out segment by segment in the order of TokenSegs; row e*S+s of Segs is
// {e, task_s, first routed row, first routed cotangent row, n}, where the first routed row is Off[e] plus the picks of e kept by
// tokens under act0_s, and the first routed cotangent row is COff[e] plus the n of earlier segments of e; both hold for n = 0
// too. When CAct of the Plan is none the cotangent rows equal the activation rows (row0 = act0 in every segment, and the two
// columns are equal), and COff, CToken and CInv are the same tensors as Off, Token and Inv.
type RoutePlan struct {
	Plan      *Plan
	Index     tensor.Tensor
	TokenSegs tensor.Tensor
	Capacity  int
}

// GatherSum sums routed rows back to their tokens: Dst[t,:] (=|+=) sum over k of w(t,k) * Src[Inv[t,k],:] with w = W[t,k], or 1
// without W; negative entries of Inv are skipped; k in order.
//
//	Src [>=R,D]  Inv I32 [T,K]  W [T,K] or none  Dst [T,D]
type GatherSum struct {
	Dst, Src, Inv, W tensor.Tensor
	Accumulate       bool
}

// CountPicks counts, for every set of rows, the picks by expert and the rows: Count[s,e] = number of (i,k) with Set[i] = s and
// Index[i,k] = e, Rows[s] = number of i with Set[i] = s. Negative sets and negative picks are skipped. Count and Rows are overwritten.
//
//	Index I32 [N,K]  Set I32 [N]  Count I32 [S,E]  Rows I32 [S]
type CountPicks struct{ Index, Set, Count, Rows tensor.Tensor }
