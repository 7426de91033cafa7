package autograd

import (
	"artel/kernels"
	"artel/tensor"
)

type patches struct {
	x, y  *Var
	index tensor.Tensor
}

var patchesKind = NewKind[patches]("patches")

// Patches cuts every row of x into p rows of the columns that index names: patch k of row i is row i*p+k of the result. The result has a space of its
// own, in which every row of x stands p times.
//
//	x [N,D]  index I32 [p*K]  y [N*p,K]
func Patches(t *Tape, x *Var, index tensor.Tensor, p int) *Var {
	if t.err != nil {
		return t.Bad()
	}
	if p < 1 || index.Len()%p != 0 {
		t.Failf("patches: %d columns in %d patches of %v; want equal patches", index.Len(), p, x.Value)
		return t.Bad()
	}
	n, k := x.Rows(), index.Len()/p
	out := t.New(n, p*k)
	t.be.GatherCols(kernels.GatherCols{Dst: out, Src: x.Value, Index: index})
	op := patchesKind.New(t)
	y := t.NewVar(out.Reshape(n*p, k), t.split(x.Space, p))
	*op = patches{x: x, y: y, index: index}
	return t.Record("patches", op, y, false, x)
}

func (o *patches) Backward(t *Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	if dx, acc, ok := t.Into(o.x); ok {
		t.be.ScatterCols(kernels.ScatterCols{Dst: dx, Src: dy.Reshape(dx.Dim(0), o.index.Len()), Index: o.index, Accumulate: acc})
	}
}

// split describes rows that each stand for a p-th part of a row of s.
func (t *Tape) split(s *Space, p int) *Space {
	out := t.spaces.next()
	out.N, out.Owned = s.N*p, s.Owned
	start := len(t.blocks)
	for _, b := range s.Blocks {
		b.Act0, b.N = b.Act0*p, b.N*p
		t.blocks = append(t.blocks, b)
	}
	out.Blocks = t.blocks[start:len(t.blocks):len(t.blocks)]
	t.layout(out)
	return out
}

type join struct{ x, y *Var }

var joinKind = NewKind[join]("join")

// Join puts the p rows that Patches made of a row side by side again: [N*p,C] becomes [N,p*C] in s, the space that was cut. Nothing is copied, forward
// or backward.
func Join(t *Tape, x *Var, s *Space) *Var {
	if t.err != nil {
		return t.Bad()
	}
	if s.N == 0 || x.Rows()%s.N != 0 {
		t.Failf("join: %d rows into %d", x.Rows(), s.N)
		return t.Bad()
	}
	op := joinKind.New(t)
	y := t.NewVar(x.Value.Reshape(s.N, x.Rows()/s.N*x.Cols()), s)
	*op = join{x: x, y: y}
	return t.Record("join", op, y, false, x)
}

func (o *join) Backward(t *Tape) {
	if dy, ok := t.Grad(o.y); ok {
		t.Give(o.x, dy.Reshape(o.x.Space.C, o.x.Cols()))
	}
}
