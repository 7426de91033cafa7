package engine

import (
	"math"

	"artel/param"
)

// UnitLine tells what surgery saw and did in one unit: cosines between task gradients, the share of pairs in conflict, and the weights chosen; then the same
// for the layers and experts that the unit is made of. Where weights are used again it tells of the step that chose them.
type UnitLine struct {
	Name   string   `json:"unit"`
	Method string   `json:"method"`
	Tasks  []string `json:"tasks"`
	Angles
	Weights []float64  `json:"weights,omitempty"`
	Parts   []PartLine `json:"parts,omitempty"`
}

// PartLine is a layer or an expert of a unit.
type PartLine struct {
	Name string `json:"part"`
	Angles
}

// Angles are the cosines between the gradients of a unit's tasks, row by row, the lower triangle (0 where a task is absent), and the share of pairs in conflict: those with a
// negative inner product, of those where both tasks are present.
type Angles struct {
	Cosines   []float64 `json:"cosines,omitempty"`
	Conflicts float64   `json:"conflicts"`
}

// Cosine returns the cosine between the gradients of tasks i and j of the unit, 1 for i = j.
func (a *Angles) Cosine(i, j int) float64 {
	if i == j {
		return 1
	}
	i, j = max(i, j), min(i, j)
	return a.Cosines[i*(i-1)/2+j]
}

// Part returns a part by name, zeros when there is none.
func (u *UnitLine) Part(name string) Angles {
	for _, p := range u.Parts {
		if p.Name == name {
			return p.Angles
		}
	}
	return Angles{}
}

// Units describes what surgery did in the last step; empty for methods that see no task gradients.
func (e *Engine) Units() []UnitLine {
	s := e.surgeon
	var out []UnitLine
	units := s.units
	if e.at != nil {
		units = e.at.unit[:]
	}
	for i := range units {
		u := &units[i]
		l := UnitLine{Name: u.name, Method: u.method.Entry.Name}
		var tasks []int
		for t, ok := range u.any {
			if !ok {
				continue
			}
			tasks = append(tasks, t)
			l.Tasks = append(l.Tasks, e.taskName(t))
			l.Weights = append(l.Weights, u.w.F64()[t])
		}
		whole := make([]float64, len(u.gram))
		if e.at != nil {
			copy(whole, u.gram)
		}
		for _, g := range u.groups {
			add(whole, s.cells[g.Index].gram.F64())
		}
		l.Angles = angles(whole, s.rows, tasks)
		for _, p := range s.parts(u) {
			l.Parts = append(l.Parts, PartLine{p.name, angles(p.gram, s.rows, tasks)})
		}
		out = append(out, l)
	}
	return out
}

// part is the Gram matrix of a layer or an expert.
type part struct {
	name string
	gram []float64
}

// parts lists the layers of a unit, each followed by its experts; nothing for a unit of one group.
func (s *surgeon) parts(u *unit) []part {
	if len(u.groups) < 2 {
		return nil
	}
	var out []part
	layer := -1
	for _, g := range u.groups {
		gram := s.cells[g.Index].gram.F64()
		if layer < 0 || out[layer].name != g.Layer {
			layer = len(out)
			out = append(out, part{g.Layer, make([]float64, len(gram))})
		}
		add(out[layer].gram, gram)
		if g.Kind == param.Expert {
			out = append(out, part{g.Name(), gram})
		}
	}
	return out
}

func add(dst, src []float64) {
	for i, v := range src {
		dst[i] += v
	}
}

// angles reads cosines and conflicts off a Gram matrix [rows,rows].
func angles(g []float64, rows int, tasks []int) (out Angles) {
	pairs, negative := 0, 0
	for i, a := range tasks {
		for _, b := range tasks[:i] {
			v, size := g[a*rows+b], math.Sqrt(g[a*rows+a]*g[b*rows+b])
			if size == 0 {
				out.Cosines = append(out.Cosines, 0)
				continue
			}
			pairs++
			if v < 0 {
				negative++
			}
			out.Cosines = append(out.Cosines, v/size)
		}
	}
	if pairs > 0 {
		out.Conflicts = float64(negative) / float64(pairs)
	}
	return out
}

// taskName names a task gradient; the auxiliary one is "auxiliary".
func (e *Engine) taskName(t int) string {
	if t < len(e.tasks) {
		return e.tasks[t].Name
	}
	return "auxiliary"
}
