package kernels

import "artel/tensor"

// Steps holds the ops that let a step run to its end without the host: which gradients are there, whether numbers are finite, how far a gradient is clipped.
type Steps struct {
	Settle func(Settle)
	Check  func(Check)
	Clip   func(Clip)
}

// SettleCols is the number of columns of Settle.Table, and SettleLine the unit of its columns and lengths, in elements.
const (
	SettleCols = 3
	SettleLine = 16
)

// Settle closes backward passes whose flags Touched[i,t] tell whether parameter i has a gradient of task t. The parameters First[g]..First[g+1] form group g.
// Table[i] = {column, offset, length}, in units of SettleLine elements; a column or an offset of -1 stands for none.
//
//	Present[g,t] = 1 if Active[t] != 0 and Touched[i,t] != 0 for some parameter i of g, else 0     (with And: what it was, if that holds, else 0)
//	Rows[t,c] = 0 for the columns c of i where Touched[i,t] = 0, but Touched[j,t] != 0 for another parameter j of the group
//	Grad[p] = 0 for the offsets p of i where Touched[i,t] = 0 for all t
//
// So the rows of a task that is present can be read as a whole, and Grad always. What nothing stands for is left alone.
//
//	Rows [M,Cols] or none  Grad [P] or none  Touched I32 [n,M]  Table I32 [n,SettleCols]  First I32 [G+1]  Active I32 [M] or none: all  Present I32 [G,M] or none
type Settle struct {
	Rows, Grad, Touched, Table, First, Active, Present tensor.Tensor
	And                                                bool
}

// Check closes a gate where numbers are not finite: Gate[0] = NaN unless all of X are, else it stays.   X F64 [n]  Gate F64 [1]
type Check struct{ X, Gate tensor.Tensor }

// Clip makes the factor of a gradient from its squared norm. A gate that is closed (NaN), or a norm that is not finite, gives NaN for both, and then ops that are
// multiplied By them do nothing; else
//
//	Scale[0] = min(1, Max / (sqrt(SumSq[0]) + 1e-6)), or 1 for Max = 0
//
//	SumSq F64 [1]  Gate F64 [1], 1 or NaN  Scale F64 [1]
type Clip struct {
	SumSq, Gate, Scale tensor.Tensor
	Max                float64
}
