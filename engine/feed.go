package engine

import (
	"artel/autograd"
	"artel/data"
	"artel/dtype"
	"artel/kernels"
	"artel/model"
	"artel/tensor"
)

// feed puts host batches onto a tape. On a backend that computes in float32 in host memory nothing is copied: tensors are laid over the batch's
// own slices; the descriptions of those are kept by address, because a loader's memory comes round.
type feed struct {
	be     *kernels.Backend
	blocks []autograd.Block
	rows   []model.Rows
	f32    map[*float32]*tensor.Storage
	i32    map[*int32]*tensor.Storage
}

func newFeed(be *kernels.Backend) *feed {
	return &feed{be: be, f32: map[*float32]*tensor.Storage{}, i32: map[*int32]*tensor.Storage{}}
}

// space describes the rows of b on the tape.
func (f *feed) space(t *autograd.Tape, b *data.Batch) *autograd.Space {
	f.blocks = f.blocks[:0]
	for _, s := range b.Segments {
		f.blocks = append(f.blocks, autograd.Block{Task: s.Task, Act0: s.Row0, N: s.N})
	}
	return t.NewSpace(b.Rows, f.blocks, f.ints(t, b.Keys, b.Rows, 2))
}

// inputs are the domains of b; floats are converted where the backend wants another type.
func (f *feed) inputs(t *autograd.Tape, b *data.Batch) []model.Rows {
	f.rows = f.rows[:0]
	for _, d := range b.Domains {
		r := model.Rows{Domain: d.Domain, Row0: d.Row0, N: d.N}
		if len(d.Dense) > 0 {
			r.Dense = f.floats(t, d.Dense, d.N, len(d.Dense)/d.N)
		}
		if len(d.IDs) > 0 {
			r.IDs, r.Off = f.ints(t, d.IDs, len(d.IDs)), f.ints(t, d.Off, len(d.Off))
		}
		f.rows = append(f.rows, r)
	}
	return f.rows
}

// ints views s as an I32 tensor, or copies it to memory that the device reaches.
func (f *feed) ints(t *autograd.Tape, s []int32, shape ...int) tensor.Tensor {
	if f.be.Apart {
		x := t.NewShared(dtype.I32, shape...)
		copy(x.I32(), s)
		return x
	}
	st, ok := f.i32[&s[0]]
	if !ok || st.Len < len(s) {
		st = tensor.WrapI32(s[:cap(s)])
		f.i32[&s[0]] = st
	}
	return tensor.Of(st, 0, shape...)
}

// floats views s as a tensor of the backend's type, or copies it to one.
func (f *feed) floats(t *autograd.Tape, s []float32, shape ...int) tensor.Tensor {
	st, ok := f.f32[&s[0]]
	if !ok || st.Len < len(s) {
		st = tensor.WrapF32(s[:cap(s)])
		f.f32[&s[0]] = st
	}
	x := tensor.Of(st, 0, shape...)
	if f.be.Float == dtype.F32 && !f.be.Apart {
		return x
	}
	y := t.New(shape...)
	f.be.Copy(kernels.Copy{Dst: y, Src: x})
	return y
}
