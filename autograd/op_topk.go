package autograd

import (
	"artel/kernels"
	"artel/tensor"
)

type topK struct {
	src, y *Var
	index  tensor.Tensor
}

var topKKind = NewKind[topK]("top-k")

// TopK picks the k largest entries of each row of by, in falling order, ties to the lower column, and returns their columns
// and the entries of src there; src may be by itself. The gradient flows into src at the picked places.
//
//	by, src [N,E]  index I32 [N,k]  values [N,k]
func TopK(t *Tape, by, src *Var, k int) (index tensor.Tensor, values *Var) {
	if t.err != nil {
		return tensor.Tensor{}, t.Bad()
	}
	if k < 1 || k > by.Cols() || by.Space != src.Space || by.Cols() != src.Cols() {
		t.Failf("top-k: k = %d of %v by %v; want 1 <= k <= width, equal shapes", k, src.Value, by.Value)
		return tensor.Tensor{}, t.Bad()
	}
	op := topKKind.New(t)
	index = t.NewI32(by.Rows(), k)
	y := t.NewVar(t.New(by.Rows(), k), src.Space)
	*op = topK{src: src, y: y, index: index}
	t.be.TopK(kernels.TopK{X: by.Value, Src: src.Value, Index: index, Value: y.Value})
	return index, t.Record("top-k", op, y, false, src)
}

func (o *topK) Backward(t *Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	if dx, acc, ok := t.Into(o.src); ok {
		t.be.TopKGrad(kernels.TopKGrad{DX: dx, Index: o.index, DV: dy, Act: o.src.Space.Act, Accumulate: acc})
	}
}

type rowNormalize struct{ x, y *Var }

var rowNormalizeKind = NewKind[rowNormalize]("row normalize")

// RowNormalize divides every row by its sum.
func RowNormalize(t *Tape, x *Var) *Var {
	if t.err != nil {
		return t.Bad()
	}
	op := rowNormalizeKind.New(t)
	y := t.NewVar(t.New(x.Rows(), x.Cols()), x.Space)
	*op = rowNormalize{x: x, y: y}
	t.be.RowNormalize(kernels.RowNormalize{Y: y.Value, X: x.Value})
	return t.Record("row normalize", op, y, false, x)
}

func (o *rowNormalize) Backward(t *Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	if dx, acc, ok := t.Into(o.x); ok {
		t.be.RowNormalizeGrad(kernels.RowNormalizeGrad{DX: dx, X: o.x.Value, Y: o.y.Value, DY: dy, Act: o.x.Space.Act, Accumulate: acc})
	}
}
