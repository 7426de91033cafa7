package gradsurgery

// steps counts, per unit and task, the steps in which the task was present.
type steps struct {
	tasks int
	n     []float64 // [units, tasks]
}

func newSteps(tasks, units int) *steps { return &steps{tasks, make([]float64, units*tasks)} }

// count adds the step at hand for the tasks that are present.
func (s *steps) count(in *Input) {
	for _, id := range in.Tasks {
		s.n[in.Unit*s.tasks+id]++
	}
}

// of returns the number of steps of a task, the one at hand included.
func (s *steps) of(in *Input, id int) float64 { return s.n[in.Unit*s.tasks+id] }

func (s *steps) state() Array { return Array{"steps", s.n} }
