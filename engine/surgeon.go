package engine

import (
	"artel/dtype"
	"artel/gradsurgery"
	"artel/kernels"
	"artel/param"
	"artel/rng"
	"artel/tensor"

	"github.com/pkg/errors"
)

// surgeon turns the task gradients in a sink into one gradient, unit by unit.
type surgeon struct {
	be     *kernels.Backend
	sinks  []*param.Sink // of independent batches
	sink   *param.Sink   // the last one: the step's gradient is made from it
	units  []unit
	plain  []*param.Group // groups with one row, or excluded ones
	cells  []cell         // by group of the set
	memory *memory        // for methods that ask for one, else nil
	rows   int            // task gradients, an auxiliary one included
	stream rng.Stream
	met    func() error // hears that inner products, and losses, are there
	reused bool         // the weights of an earlier step serve this one

	losses  []float64
	present tensor.Tensor // I32 [groups,M]: tasks with a gradient in a group, among those that are active
	normSq  tensor.Tensor // F64 [1]
	ones    tensor.Tensor // F64 [M]

	// What a unit is asked with; reused.
	in      gradsurgery.Input
	tasks   []int
	small   []float64 // [m]
	gram    []float64 // [m*m]
	between []float64 // [m*m]: between two batches
	w       []float64 // [m]
	column  gradsurgery.Column
}

// cell is what a step knows of the task gradients of one group.
type cell struct {
	unit    *unit         // nil for a group outside surgery
	present tensor.Tensor // I32 [M]: a row of the surgeon's
	gram    tensor.Tensor // F64 [M,M]; zero where a task is absent
}

// newSurgeon prepares surgery on the groups of the sinks. The caller has sorted the groups into units.
func newSurgeon(be *kernels.Backend, sinks []*param.Sink, units []unit, plain []*param.Group, stream rng.Stream) *surgeon {
	sink := sinks[len(sinks)-1]
	s := &surgeon{be: be, sinks: sinks, sink: sink, units: units, plain: plain, rows: sink.Tasks, stream: stream.Sub("surgery")}
	m := sink.Tasks
	s.cells = make([]cell, len(sink.Set.Groups))
	s.present = be.NewShared(dtype.I32, len(s.cells), m)
	for i := range s.cells {
		s.cells[i] = cell{present: s.present.At(i), gram: be.NewShared(dtype.F64, m, m)}
	}
	for i := range units {
		u := &units[i]
		u.prepare(be, m)
		for _, g := range u.groups {
			s.cells[g.Index].unit = u
		}
		if n := u.method.Needs; n.Track || n.Squares {
			if s.memory == nil {
				s.memory = newMemory(be, sink)
			}
			s.memory.enlarge(be, sink, n)
		}
	}
	s.losses = make([]float64, m)
	s.tasks, s.small, s.gram, s.w = make([]int, 0, m), make([]float64, 0, m), make([]float64, 0, m*m), make([]float64, m)
	s.column.Leak = make([]float64, m)
	s.ones = be.NewShared(dtype.F64, m)
	be.Fill(s.ones, 1)
	s.between = make([]float64, 0, m*m)
	return s
}

// combine makes the gradient of a step from kept task gradients, and its squared norm. active (I32 [M]) has 1 for the tasks that take part.
func (s *surgeon) combine(step int64, active tensor.Tensor, held *operands) error {
	s.be.Fill(s.normSq, 0)
	for i, k := range s.sinks {
		k.Settle(s.be, active, s.present, i > 0) // a cell counts where every batch has it
	}
	for i := range s.units {
		u := &s.units[i]
		if u.method.Needs.Level != gradsurgery.TaskGradients && !s.reused {
			s.products(u)
		}
	}
	if err := s.meet(held); err != nil {
		return err
	}
	for i := range s.units {
		u := &s.units[i]
		if u.method.Needs.Level == gradsurgery.TaskGradients {
			s.ask(step, u)
			if err := s.columns(u); err != nil {
				return err
			}
			continue
		}
		if !s.reused {
			if err := s.solve(step, u); err != nil {
				return err
			}
		}
		s.apply(u)
	}
	for _, g := range s.plain {
		s.plainGroup(g)
	}
	if held != nil {
		if err := held.apply(); err != nil {
			return err
		}
	}
	return nil
}

// meet waits for the inner products of all units at once, and notes which tasks are present.
func (s *surgeon) meet(held *operands) error {
	if held == nil && (len(s.units) == 0 || s.reused) {
		return nil
	}
	if err := s.be.Sync(); err != nil {
		return err
	}
	if err := s.met(); err != nil {
		return err
	}
	if held != nil {
		held.met()
	}
	if s.reused {
		return nil
	}
	present := s.present.I32()
	for i := range s.units {
		u := &s.units[i]
		clear(u.any)
		for _, g := range u.groups {
			for t, p := range present[g.Index*s.rows : (g.Index+1)*s.rows] {
				u.any[t] = u.any[t] || p != 0
			}
		}
	}
	return nil
}

// products makes the Gram matrices of the groups of a unit from kept rows.
func (s *surgeon) products(u *unit) {
	for _, g := range u.groups {
		if s.sink.Holds(g) {
			continue // the backward pass has made it
		}
		c := &s.cells[g.Index]
		s.be.Fill(c.gram, 0)
		s.be.Gram(kernels.Gram{J: s.sinks[0].GroupRows(g), Present: c.present, G: c.gram})
	}
	if len(s.sinks) > 1 {
		s.be.Fill(u.cross, 0)
		for _, g := range u.groups {
			s.be.CrossGram(kernels.CrossGram{J: s.sinks[0].GroupRows(g), K: s.sinks[1].GroupRows(g), Present: s.cells[g.Index].present, G: u.cross})
		}
	}
}

// ask fills what a unit's method reads.
func (s *surgeon) ask(step int64, u *unit) {
	s.in = gradsurgery.Input{Step: step, Unit: u.index, RNG: s.stream.Sub(u.stream, uint64(u.index)).At(uint64(step))}
	s.tasks, s.small = s.tasks[:0], s.small[:0]
	for t, ok := range u.any {
		if ok {
			s.tasks, s.small = append(s.tasks, t), append(s.small, s.losses[t])
		}
	}
	s.in.Tasks, s.in.Losses = s.tasks, s.small
}

// solve asks the method of a unit for weights, from the Gram matrices of its groups.
func (s *surgeon) solve(step int64, u *unit) error {
	s.ask(step, u)
	u.sum(s.cells)
	s.gram = s.ofPresent(s.gram, u.gram)
	s.in.Gram = s.gram
	if len(s.sinks) > 1 {
		s.between = s.ofPresent(s.between, u.cross.F64())
		s.in.Cross = s.between
	}
	if n := u.method.Needs; n.Track || n.Squares {
		if err := s.memory.step(s, u); err != nil {
			return errors.Wrapf(err, "unit %s", u.name)
		}
	}
	w := s.w[:len(s.tasks)]
	if err := u.method.Weights(&s.in, w); err != nil {
		return errors.Wrapf(err, "unit %s", u.name)
	}
	for i, t := range s.tasks {
		u.w.F64()[t] = w[i] // an absent task keeps the weight that it had
	}
	return nil
}

// apply combines kept rows by the weights of a unit.
func (s *surgeon) apply(u *unit) {
	for _, g := range u.groups {
		if s.sink.Holds(g) {
			continue
		}
		rows, present := s.sink.GroupRows(g), s.cells[g.Index].present
		if u.method.Needs.Track {
			rows, present = s.sink.GroupOf(s.memory.tracked, g), u.all
		}
		s.be.Combine(kernels.Combine{Dst: s.sink.GroupGrad(g), J: rows, Present: present, W: u.w, SumSq: s.normSq})
	}
}

// ofPresent cuts the rows and columns of the present tasks out of a matrix [M,M].
func (s *surgeon) ofPresent(dst, full []float64) []float64 {
	dst = dst[:0]
	for _, a := range s.tasks {
		for _, b := range s.tasks {
			dst = append(dst, full[a*s.rows+b])
		}
	}
	return dst
}

// columns runs the column kernel that the method names over the groups of a unit.
func (s *surgeon) columns(u *unit) error {
	if len(s.tasks) == 0 {
		return nil
	}
	if err := u.method.Columns(&s.in, &s.column); err != nil {
		return errors.Wrapf(err, "unit %s", u.name)
	}
	leak := u.w.F64()
	clear(leak)
	for i, t := range s.tasks {
		leak[t] = s.column.Leak[i]
	}
	for _, g := range u.groups {
		dst, rows, present := s.sink.GroupGrad(g), s.sink.GroupRows(g), s.cells[g.Index].present
		if s.column.Kernel == gradsurgery.TrimmedMeanColumns {
			s.be.TrimmedMean(kernels.TrimmedMean{Dst: dst, J: rows, Present: present, SumSq: s.normSq, Trim: s.column.Trim})
			continue
		}
		s.be.GradDrop(kernels.GradDrop{
			Dst: dst, J: rows, Present: present, Leak: u.w, SumSq: s.normSq, Key: s.column.Key, Hi: s.column.Hi, Offset: g.Off,
		})
	}
	return nil
}

// plainGroup settles a group outside surgery: one with one row, or an excluded one, whose rows are summed.
func (s *surgeon) plainGroup(g *param.Group) {
	if s.sink.Holds(g) {
		return
	}
	if !s.sink.PerTask(g) {
		s.be.SumSquares(kernels.SumSquares{X: s.sink.GroupGrad(g), Dst: s.normSq})
		return
	}
	s.be.Combine(kernels.Combine{Dst: s.sink.GroupGrad(g), J: s.sink.GroupRows(g), Present: s.cells[g.Index].present, W: s.ones, SumSq: s.normSq})
}

// firstNotFinite names the first group whose gradient is not finite.
func (s *surgeon) firstNotFinite() string {
	for _, g := range s.sink.Set.Groups {
		s.be.Fill(s.normSq, 0)
		s.be.SumSquares(kernels.SumSquares{X: s.sink.GroupGrad(g), Dst: s.normSq})
		if err := s.be.Sync(); err != nil {
			return err.Error()
		}
		if v := s.normSq.F64()[0]; v-v != 0 {
			return g.Name()
		}
	}
	return ""
}
