package gradsurgery

// shares remembers, per unit, one number >= 0 per task with sum 1. Among the present tasks it is read as a point of their own
// simplex; what they hold together does not change while others are absent.
type shares struct {
	tasks int
	l     []float64 // [units, tasks]
	mass  float64   // what the present tasks hold together, from load to store
}

func newShares(tasks, units int) *shares {
	s := &shares{tasks: tasks, l: make([]float64, units*tasks)}
	for i := range s.l {
		s.l[i] = 1 / float64(tasks)
	}
	return s
}

// load writes the shares of the present tasks among themselves to w [m]: equal ones when they hold nothing.
func (s *shares) load(in *Input, w []float64) {
	s.mass = 0
	for t, id := range in.Tasks {
		w[t] = s.l[in.Unit*s.tasks+id]
		s.mass += w[t]
	}
	for t := range w {
		if w[t] /= s.mass; s.mass == 0 {
			w[t] = 1 / float64(len(w))
		}
	}
}

// store keeps w, a point of the simplex.
func (s *shares) store(in *Input, w []float64) {
	for t, id := range in.Tasks {
		s.l[in.Unit*s.tasks+id] = w[t] * s.mass
	}
}

func (s *shares) state() []Array { return []Array{{"weights", s.l}} }
