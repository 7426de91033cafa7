package engine

import (
	"artel/checkpoint"
	"artel/dtype"
	"artel/gradsurgery"
	"artel/kernels"
	"artel/param"
	"artel/tensor"
)

// memory is what a surgery method remembers of task gradients, coordinate by coordinate, from step to step. It is laid out like the rows of a sink.
type memory struct {
	tracked tensor.Tensor // [M,PJ]: moving task gradients, or none
	squares tensor.Tensor // [M,PJ]: sums of squared task gradients, or none

	keep, take tensor.Tensor // F64 [M]
	gram       tensor.Tensor // F64 [M,M] of tracked
	excess     tensor.Tensor // F64 [M]
	k, t, e    []float64     // [m]
}

func newMemory(be *kernels.Backend, sink *param.Sink) *memory {
	m := sink.Tasks
	return &memory{
		gram: be.NewShared(dtype.F64, m, m), excess: be.NewShared(dtype.F64, m), keep: be.NewShared(dtype.F64, m), take: be.NewShared(dtype.F64, m),
		k: make([]float64, m), t: make([]float64, m), e: make([]float64, 0, m),
	}
}

// enlarge makes room for what a method asks for.
func (y *memory) enlarge(be *kernels.Backend, sink *param.Sink, needs gradsurgery.Needs) {
	if needs.Track && !y.tracked.Ok() {
		y.tracked = be.New(be.Float, sink.Tasks, sink.Cols)
	}
	if needs.Squares && !y.squares.Ok() {
		y.squares = be.New(be.Float, sink.Tasks, sink.Cols)
	}
}

// step moves the memory of a unit on and completes s.in for the method.
func (y *memory) step(s *surgeon, u *unit) error {
	if u.method.Needs.Squares {
		s.be.Fill(y.excess, 0)
		for _, g := range u.groups {
			s.be.Excess(kernels.Excess{S: s.sink.GroupOf(y.squares, g), J: s.sink.GroupRows(g), Present: s.cells[g.Index].present, Dst: y.excess, Eps: 1e-7})
		}
		if err := s.be.Sync(); err != nil {
			return err
		}
		y.e = y.e[:0]
		for _, t := range s.tasks {
			y.e = append(y.e, y.excess.F64()[t])
		}
		s.in.Excess = y.e
	}
	if !u.method.Needs.Track {
		return nil
	}
	keep, take := y.k[:len(s.tasks)], y.t[:len(s.tasks)]
	if err := u.method.Track(&s.in, keep, take); err != nil {
		return err
	}
	for t := range y.keep.F64() {
		y.keep.F64()[t], y.take.F64()[t] = 1, 0 // absent tasks stay as they are
	}
	for i, t := range s.tasks {
		y.keep.F64()[t], y.take.F64()[t] = keep[i], take[i]
	}
	s.be.Fill(y.gram, 0)
	for t, ok := range u.any {
		u.all.I32()[t] = 0
		if ok {
			u.all.I32()[t] = 1
		}
	}
	for _, g := range u.groups {
		tracked := s.sink.GroupOf(y.tracked, g)
		s.be.Track(kernels.Track{Y: tracked, J: s.sink.GroupRows(g), Present: s.cells[g.Index].present, Keep: y.keep, Take: y.take})
		s.be.Gram(kernels.Gram{J: tracked, Present: u.all, G: y.gram}) // a cell without rows in this step still has what it had before
	}
	if err := s.be.Sync(); err != nil {
		return err
	}
	s.gram = s.ofPresent(s.gram, y.gram.F64())
	s.in.Gram = s.gram
	return nil
}

// tensors lists the memory for checkpoints, task by task and parameter by parameter.
func (y *memory) tensors(sink *param.Sink, taskName func(int) string) []checkpoint.Tensor {
	var out []checkpoint.Tensor
	add := func(kind string, rows tensor.Tensor) {
		for _, p := range sink.Set.Params {
			if !rows.Ok() || !sink.PerTask(p.Group) {
				continue
			}
			for t := range sink.Tasks {
				v := sink.GroupOf(rows, p.Group).At(t).Narrow(0, p.Off-p.Group.Off, p.Len()).Reshape(p.Shape()...)
				out = append(out, checkpoint.Tensor{Name: kind + "/" + taskName(t) + "/" + p.Name, Value: v})
			}
		}
	}
	add("tracked", y.tracked)
	add("squares", y.squares)
	return out
}
