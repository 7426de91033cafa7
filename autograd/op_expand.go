package autograd

import (
	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

type expand struct{ x, y *Var }

var expandKind = NewKind[expand]("expand")

// Expand turns rows that several tasks share into task-owned rows: one copy of the rows per task, so that what follows can
// treat them by task. Rows that are owned already stay as they are.
//
// In per-task mode the stacked cotangent of x is the cotangent of the result, handed over without a copy.
func Expand(t *Tape, x *Var) *Var {
	if t.err != nil {
		return t.Bad()
	}
	if x.Space.Owned {
		return x
	}
	in := x.Space
	s := t.spaces.next()
	s.Owned = true
	start := len(t.blocks)
	for _, b := range in.Blocks {
		t.blocks = append(t.blocks, Block{Task: b.Task, Act0: s.N, N: b.N, share: 1})
		s.N += b.N
	}
	s.Blocks = t.blocks[start:len(t.blocks):len(t.blocks)]
	t.layout(s)
	index := t.NewShared(dtype.I32, s.N)
	ix := index.I32()
	for i, b := range s.Blocks {
		for r := 0; r < b.N; r++ {
			ix[b.Act0+r] = int32(in.Blocks[i].Act0 + r)
		}
	}
	if in.Keys.Ok() {
		s.Keys = expandKeys(t, in.Keys, s, ix)
	}
	op := expandKind.New(t)
	y := t.NewVar(t.New(s.N, x.Cols()), s)
	*op = expand{x: x, y: y}
	t.be.GatherRows(kernels.GatherRows{Dst: y.Value, Src: x.Value, Index: index})
	return t.Record("expand", op, y, false, x)
}

// expandKeys gives the copies of a row different keys: the task, counted from 1, goes into the top bits of the second word.
func expandKeys(t *Tape, keys tensor.Tensor, s *Space, index []int32) tensor.Tensor {
	out := t.NewShared(dtype.I32, s.N, 2)
	src, dst := keys.I32(), out.I32()
	ks := keys.Stride(0)
	for _, b := range s.Blocks {
		for r := b.Act0; r < b.Act0+b.N; r++ {
			i := int(index[r]) * ks
			dst[2*r], dst[2*r+1] = src[i], src[i+1]^int32(b.Task+1)<<24
		}
	}
	return out
}

func (o *expand) Backward(t *Tape) {
	dy, ok := t.Grad(o.y)
	if !ok {
		return
	}
	in, out := o.x.Space, o.y.Space
	if in.stacked && out.aux0 < 0 {
		t.Give(o.x, dy) // blocks lie in the same order on both sides
		return
	}
	for i, b := range out.Blocks {
		if dx, acc, ok := t.intoBlock(o.x, i); ok {
			t.be.Axpy(kernels.Axpy{Dst: dx, Src: dy.Narrow(0, b.Cot0, b.N), Alpha: 1, Accumulate: acc})
		}
	}
	if out.aux0 < 0 || !o.x.needs {
		return
	}
	// The auxiliary task's rows of all copies of a row add up.
	dx, acc, _ := t.intoAux(o.x)
	if !acc {
		t.be.Fill(dx, 0)
	}
	for i, b := range out.Blocks {
		t.be.Axpy(kernels.Axpy{
			Dst: dx.Narrow(0, in.Blocks[i].Act0, b.N), Src: dy.Narrow(0, out.aux0+b.Act0, b.N),
			Alpha: 1, Accumulate: true,
		})
	}
}
