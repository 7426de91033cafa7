package param

import (
	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

// places tells kernels.Settle where the gradients of a sink lie.
type places struct{ table, first tensor.Tensor }

// newPlaces describes the parameters of a set: place returns the column of a parameter's rows and the offset of its one gradient, in elements, -1 for none.
func newPlaces(be *kernels.Backend, s *Set, place func(p *Param) (column, offset int)) places {
	lines := func(n int) int32 {
		if n < 0 {
			return -1
		}
		return int32(roundUp(n) / kernels.SettleLine)
	}
	table, first := tensor.New(dtype.I32, len(s.Params), kernels.SettleCols), tensor.New(dtype.I32, len(s.Groups)+1)
	for i, p := range s.Params {
		column, offset := place(p)
		copy(table.I32()[i*kernels.SettleCols:], []int32{lines(column), lines(offset), lines(p.Len())})
		first.I32()[p.Group.Index+1] = int32(i + 1)
	}
	l := places{be.New(dtype.I32, len(s.Params), kernels.SettleCols), be.New(dtype.I32, len(s.Groups)+1)}
	be.Copy(kernels.Copy{Dst: l.table, Src: table})
	be.Copy(kernels.Copy{Dst: l.first, Src: first})
	return l
}

// place is where the gradient of a parameter lies in k.
func (k *Sink) place(p *Param) (column, offset int) {
	switch off := k.jacOff[p.Group.Index]; {
	case off >= 0 && k.stream == nil:
		return off + p.Off - p.Group.Off, -1
	case off >= 0 || k.Holds(p.Group):
		return -1, -1
	}
	return -1, p.Off
}

// Settle closes backward passes, without a look at the host: a parameter without a gradient of a task gets zeros there when another parameter of its group has one, so
// that the group's rows can be read as a whole; rows of absent tasks hold garbage and must not be read. A group whose tasks share one row reads as zeros where no
// task reached it. present (I32 [groups,Tasks], or none) becomes 1 for every task of active (I32 [Tasks], none for all) that has a gradient in the group,
// with and only where it is 1 already. In a streaming sink there are no rows to fill.
func (k *Sink) Settle(be *kernels.Backend, active, present tensor.Tensor, and bool) {
	be.Settle(kernels.Settle{Rows: k.Jac, Grad: k.Grad, Touched: k.touched, Table: k.places.table, First: k.places.first, Active: active, Present: present, And: and})
}

// Complete clears the gradient in Grad of every parameter that no task reached. It closes a pass into a streaming sink whose rows were combined into Grad.
func (k *Sink) Complete(be *kernels.Backend) {
	be.Settle(kernels.Settle{Grad: k.Grad, Touched: k.touched, Table: k.whole.table, First: k.whole.first})
}
