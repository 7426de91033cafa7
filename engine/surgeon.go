package engine

import (
	"math"
	"slices"

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
	method *gradsurgery.Surgery
	units  []unit
	plain  []*param.Group // groups with one row, or excluded ones
	rows   int            // task gradients, an auxiliary one included
	stream rng.Stream

	active  []bool // tasks with labels in this step
	losses  []float64
	normSq  tensor.Tensor // F64 [1]
	present tensor.Tensor // I32 [M]: of the group at hand outside surgery
	ones    tensor.Tensor // F64 [M]
	cross   tensor.Tensor // F64 [M,M]: between two batches
	memory  *memory       // for methods that ask for one, else nil

	// What a unit is asked with; reused.
	in      gradsurgery.Input
	tasks   []int
	small   []float64 // [m]
	gram    []float64 // [m*m]
	between []float64 // [m*m]: between two batches
	w       []float64 // [m]
	column  gradsurgery.Column
}

// unit is a set of groups that gets weights of its own.
type unit struct {
	name    string
	groups  []*param.Group
	present []tensor.Tensor // I32 [M] by group
	all     tensor.Tensor   // I32 [M]: tasks present in some group
	last    string          // the last layer with a matrix, for methods that look at it alone
	gram    tensor.Tensor   // F64 [M,M]
	w       tensor.Tensor   // F64 [M]
	any     []bool          // tasks present in some group
}

// newSurgeon sorts the groups of the sinks into units. The caller builds the method for that many units; needs is what it will need.
func newSurgeon(be *kernels.Backend, sinks []*param.Sink, cfg *Surgery, needs gradsurgery.Needs, stream rng.Stream) *surgeon {
	sink := sinks[len(sinks)-1]
	s := &surgeon{be: be, sinks: sinks, sink: sink, rows: sink.Tasks, stream: stream.Sub("surgery"), normSq: be.New(dtype.F64, 1)}
	for _, g := range sink.Set.Groups {
		if !sink.PerTask(g) || slices.Contains(cfg.Exclude, g.Kind.String()) {
			s.plain = append(s.plain, g)
			continue
		}
		s.add(unitName(cfg.Groups, g), g)
	}
	m := sink.Tasks
	for i := range s.units {
		u := &s.units[i]
		u.gram, u.w, u.any, u.all = be.New(dtype.F64, m, m), be.New(dtype.F64, m), make([]bool, m), be.New(dtype.I32, m)
		for _, g := range u.groups {
			u.present = append(u.present, be.New(dtype.I32, m))
			if slices.ContainsFunc(g.Params, func(p *param.Param) bool { return len(p.Shape()) > 1 }) {
				u.last = g.Layer
			}
		}
	}
	if needs.Track || needs.Squares {
		s.memory = newMemory(be, sink, needs)
	}
	s.active, s.losses = make([]bool, m), make([]float64, m)
	s.tasks, s.small, s.gram, s.w = make([]int, 0, m), make([]float64, 0, m), make([]float64, 0, m*m), make([]float64, m)
	s.column.Leak = make([]float64, m)
	s.present, s.ones = be.New(dtype.I32, m), be.New(dtype.F64, m)
	be.Fill(s.ones, 1)
	s.cross, s.between = be.New(dtype.F64, m, m), make([]float64, 0, m*m)
	return s
}

// unitName says which unit a group belongs to.
func unitName(groups string, g *param.Group) string {
	switch groups {
	case "layer":
		return g.Layer
	case "expert":
		if g.Kind == param.Expert {
			return g.Name()
		}
		return g.Layer
	}
	return "all"
}

func (s *surgeon) add(name string, g *param.Group) {
	for i := range s.units {
		if s.units[i].name == name {
			s.units[i].groups = append(s.units[i].groups, g)
			return
		}
	}
	s.units = append(s.units, unit{name: name, groups: []*param.Group{g}})
}

// combine makes the gradient of a step from the task gradients and returns its squared norm.
func (s *surgeon) combine(step int64) (float64, error) {
	s.be.Fill(s.normSq, 0)
	for i := range s.units {
		if err := s.unit(step, i); err != nil {
			return 0, err
		}
	}
	for _, g := range s.plain {
		s.plainGroup(g)
	}
	return s.normSq.F64()[0], nil
}

// unit combines the task gradients of one unit.
func (s *surgeon) unit(step int64, index int) error {
	u := &s.units[index]
	s.settleUnit(u)
	s.in = gradsurgery.Input{Step: step, Unit: index, RNG: s.stream.Sub("unit", uint64(index)).At(uint64(step))}
	s.tasks, s.small = s.tasks[:0], s.small[:0]
	for t, ok := range u.any {
		if ok {
			s.tasks, s.small = append(s.tasks, t), append(s.small, s.losses[t])
		}
	}
	s.in.Tasks, s.in.Losses = s.tasks, s.small
	if s.method.Needs.Level == gradsurgery.TaskGradients {
		return s.columns(u)
	}
	s.products(u)
	rows, present := s.sink.Jac, u.present
	if s.memory != nil {
		var err error
		if rows, present, err = s.memory.step(s, u); err != nil {
			return errors.Wrapf(err, "unit %s", u.name)
		}
	}
	w := s.w[:len(s.tasks)]
	if err := s.method.Weights(&s.in, w); err != nil {
		return errors.Wrapf(err, "unit %s", u.name)
	}
	weights := u.w.F64()
	clear(weights)
	for i, t := range s.tasks {
		weights[t] = w[i]
	}
	for i, g := range u.groups {
		s.be.Combine(kernels.Combine{Dst: s.sink.GroupGrad(g), J: s.sink.GroupOf(rows, g), Present: present[i], W: u.w, SumSq: s.normSq})
	}
	return nil
}

// settleUnit closes the backward passes for the groups of a unit and notes which tasks are present.
func (s *surgeon) settleUnit(u *unit) {
	clear(u.any)
	for i, g := range u.groups {
		p := u.present[i].I32()
		s.sink.Settle(s.be, g, p)
		for _, other := range s.sinks[:len(s.sinks)-1] {
			o := s.present.I32()
			other.Settle(s.be, g, o)
			for t := range p {
				p[t] &= o[t] // a cell counts where every batch has it
			}
		}
		for t := range p {
			if !s.active[t] {
				p[t] = 0
			}
			u.any[t] = u.any[t] || p[t] != 0
		}
	}
}

// products makes the Gram matrix of a unit, and the products between independent batches.
func (s *surgeon) products(u *unit) {
	s.be.Fill(u.gram, 0)
	for i, g := range u.groups {
		if !s.method.Needs.LastLayer || g.Layer == u.last {
			s.be.Gram(kernels.Gram{J: s.sinks[0].GroupRows(g), Present: u.present[i], G: u.gram})
		}
	}
	s.gram = s.ofPresent(s.gram, u.gram)
	s.in.Gram = s.gram
	if len(s.sinks) == 1 {
		return
	}
	s.be.Fill(s.cross, 0)
	for i, g := range u.groups {
		s.be.CrossGram(kernels.CrossGram{J: s.sinks[0].GroupRows(g), K: s.sinks[1].GroupRows(g), Present: u.present[i], G: s.cross})
	}
	s.between = s.ofPresent(s.between, s.cross)
	s.in.Cross = s.between
}

// ofPresent cuts the rows and columns of the present tasks out of a matrix [M,M].
func (s *surgeon) ofPresent(dst []float64, full tensor.Tensor) []float64 {
	dst = dst[:0]
	for _, a := range s.tasks {
		for _, b := range s.tasks {
			dst = append(dst, full.F64()[a*s.rows+b])
		}
	}
	return dst
}

// columns runs the column kernel that the method names over the groups of a unit.
func (s *surgeon) columns(u *unit) error {
	if len(s.tasks) == 0 {
		return nil
	}
	if err := s.method.Columns(&s.in, &s.column); err != nil {
		return errors.Wrapf(err, "unit %s", u.name)
	}
	if s.column.Kernel == gradsurgery.TrimmedMeanColumns {
		for i, g := range u.groups {
			s.be.TrimmedMean(kernels.TrimmedMean{Dst: s.sink.GroupGrad(g), J: s.sink.GroupRows(g), Present: u.present[i], SumSq: s.normSq, Trim: s.column.Trim})
		}
		return nil
	}
	leak := u.w.F64()
	clear(leak)
	for i, t := range s.tasks {
		leak[t] = s.column.Leak[i]
	}
	for i, g := range u.groups {
		s.be.GradDrop(kernels.GradDrop{
			Dst: s.sink.GroupGrad(g), J: s.sink.GroupRows(g), Present: u.present[i], Leak: u.w, SumSq: s.normSq,
			Key: s.column.Key, Hi: s.column.Hi, Offset: g.Off,
		})
	}
	return nil
}

// plainGroup settles a group outside surgery: one with one row, or an excluded one, whose rows are summed.
func (s *surgeon) plainGroup(g *param.Group) {
	present := s.present.I32()
	s.sink.Settle(s.be, g, present)
	if !s.sink.PerTask(g) {
		s.be.SumSquares(kernels.SumSquares{X: s.sink.GroupGrad(g), Dst: s.normSq})
		return
	}
	for t := range present {
		if !s.active[t] {
			present[t] = 0
		}
	}
	s.be.Combine(kernels.Combine{Dst: s.sink.GroupGrad(g), J: s.sink.GroupRows(g), Present: s.present, W: s.ones, SumSq: s.normSq})
}

// settle closes a plain backward pass for all groups.
func (s *surgeon) settle() {
	for _, g := range s.sink.Set.Groups {
		s.sink.Settle(s.be, g, s.present.I32())
	}
}

// firstNotFinite names the first group whose gradient is not finite.
func (s *surgeon) firstNotFinite() string {
	for _, g := range s.sink.Set.Groups {
		s.be.Fill(s.normSq, 0)
		s.be.SumSquares(kernels.SumSquares{X: s.sink.GroupGrad(g), Dst: s.normSq})
		if v := s.normSq.F64()[0]; v-v != 0 {
			return g.Name()
		}
	}
	return ""
}

// conflicts counts the pairs of present tasks of a unit and those with a negative inner product in the last step.
func (u *unit) conflicts(rows int) (pairs, negative int) {
	g := u.gram.F64()
	for a := range u.any {
		for b := 0; b < a; b++ {
			if u.any[a] && u.any[b] {
				pairs++
				if g[a*rows+b] < 0 {
					negative++
				}
			}
		}
	}
	return pairs, negative
}

// cosine is the cosine between the gradients of tasks a and b of a unit in the last step, 0 when one is absent or zero.
func (u *unit) cosine(rows, a, b int) float64 {
	g := u.gram.F64()
	d := math.Sqrt(g[a*rows+a] * g[b*rows+b])
	if !u.any[a] || !u.any[b] || d == 0 {
		return 0
	}
	return g[a*rows+b] / d
}
