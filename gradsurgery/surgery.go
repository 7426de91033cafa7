package gradsurgery

import (
	"math"

	"github.com/pkg/errors"
)

// Surgery is a method at work: the checked entrance that the engine uses. It is not safe for concurrent use.
type Surgery struct {
	Entry Entry
	Needs Needs

	tasks, units int
	method       Method
	columner     Columner
	tracker      Tracker
	after        AfterStepper
	state        []Array
}

// consistent reports a member whose Needs and interfaces contradict each other: a mistake of the member.
func (s *Surgery) consistent() error {
	switch n := s.Needs; {
	case n.Batches < 1 || n.Batches > 3:
		return errors.Errorf("gradsurgery: %s: needs %d batches, want 1..3", s.Entry.Name, n.Batches)
	case n.Level == TaskGradients && s.columner == nil:
		return errors.Errorf("gradsurgery: %s: level %v without Columns", s.Entry.Name, n.Level)
	case n.Track && (s.tracker == nil || n.Level != Gram || n.Batches > 1):
		return errors.Errorf("gradsurgery: %s: tracks gradients, but is no Tracker of level gram with one batch", s.Entry.Name)
	case n.AfterStep && s.after == nil:
		return errors.Errorf("gradsurgery: %s: needs AfterStep but does not implement it", s.Entry.Name)
	}
	return nil
}

// Weights writes the weights w [m] of the present tasks of one unit; see Method. Without a present task it does nothing. It
// returns an error that names method, step, unit and task for a loss or a Gram entry that is not finite, and for a solver that
// did not converge (a *linalg.Error with the residual); the weights are finite whenever it returns nil. No allocation.
func (s *Surgery) Weights(in *Input, w []float64) error {
	if err := s.check(in); err != nil {
		return s.wrap(in, err)
	}
	if len(w) != len(in.Tasks) {
		return s.wrap(in, errors.Errorf("w has length %d, want %d, the number of present tasks", len(w), len(in.Tasks)))
	}
	if len(in.Tasks) == 0 {
		return nil
	}
	if err := s.method.Weights(in, w); err != nil {
		return s.wrap(in, err)
	}
	for t, x := range w {
		if !finite(x) {
			return s.wrap(in, errors.Errorf("weight of task %d is %v", in.Tasks[t], x))
		}
	}
	return nil
}

// Columns fills c with the column kernel of one unit and its parameters; only for level TaskGradients. c.Leak must have room
// for m numbers; it is cut to length m.
func (s *Surgery) Columns(in *Input, c *Column) error {
	if s.columner == nil {
		return s.wrap(in, errors.Errorf("has no column kernel (level %v)", s.Needs.Level))
	}
	if err := s.check(in); err != nil {
		return s.wrap(in, err)
	}
	if cap(c.Leak) < len(in.Tasks) {
		return s.wrap(in, errors.Errorf("Leak has room for %d numbers, want %d", cap(c.Leak), len(in.Tasks)))
	}
	c.Leak = c.Leak[:len(in.Tasks)]
	if err := s.columner.Columns(in, c); err != nil {
		return s.wrap(in, err)
	}
	return nil
}

// Track writes how the tracked gradients of one unit move: keep and take [m]; only with Needs.Track. See Tracker.
func (s *Surgery) Track(in *Input, keep, take []float64) error {
	if !s.Needs.Track {
		return s.wrap(in, errors.New("does not track gradients"))
	}
	if err := s.check(in); err != nil {
		return s.wrap(in, err)
	}
	if len(keep) != len(in.Tasks) || len(take) != len(in.Tasks) {
		return s.wrap(in, errors.Errorf("keep and take have lengths %d and %d, want %d, the number of present tasks", len(keep), len(take), len(in.Tasks)))
	}
	if len(in.Tasks) == 0 {
		return nil
	}
	if err := s.tracker.Track(in, keep, take); err != nil {
		return s.wrap(in, err)
	}
	for t := range keep {
		if !finite(keep[t]) || !finite(take[t]) {
			return s.wrap(in, errors.Errorf("task %d: keep %v, take %v", in.Tasks[t], keep[t], take[t]))
		}
	}
	return nil
}

// AfterStep hands the method the losses [m] of the last batch after the update; only with Needs.AfterStep.
func (s *Surgery) AfterStep(tasks []int, losses []float64) error {
	if !s.Needs.AfterStep {
		return errors.Errorf("gradsurgery: %s: does not use losses after the step", s.Entry.Name)
	}
	in := Input{Tasks: tasks, Losses: losses}
	if err := s.checkTasks(&in); err != nil {
		return errors.Wrapf(err, "gradsurgery: %s: after the step", s.Entry.Name)
	}
	if len(tasks) == 0 {
		return nil
	}
	if err := s.after.AfterStep(tasks, losses); err != nil {
		return errors.Wrapf(err, "gradsurgery: %s: after the step", s.Entry.Name)
	}
	return nil
}

// State returns the named arrays that a checkpoint must save, ordered by name; empty for a method without memory. They are the
// live state: copy them to save them.
func (s *Surgery) State() []Array { return s.state }

// Restore copies saved arrays into the state; bit for bit the method then continues as the saved one. Nothing changes when it
// returns an error (names or lengths that do not match).
func (s *Surgery) Restore(saved []Array) error {
	if len(saved) != len(s.state) {
		return errors.Errorf("gradsurgery: %s: restore: got %d arrays, want %d", s.Entry.Name, len(saved), len(s.state))
	}
	for i, a := range saved {
		if a.Name != s.state[i].Name || len(a.Data) != len(s.state[i].Data) {
			return errors.Errorf("gradsurgery: %s: restore: got %q with %d numbers, want %q with %d",
				s.Entry.Name, a.Name, len(a.Data), s.state[i].Name, len(s.state[i].Data))
		}
	}
	for i, a := range saved {
		copy(s.state[i].Data, a.Data)
	}
	return nil
}

func (s *Surgery) wrap(in *Input, err error) error {
	return errors.Wrapf(err, "gradsurgery: %s: step %d, unit %d", s.Entry.Name, in.Step, in.Unit)
}

// check makes sure that methods only ever see what Method promises.
func (s *Surgery) check(in *Input) error {
	if err := s.checkTasks(in); err != nil {
		return err
	}
	if in.Unit < 0 || in.Unit >= s.units {
		return errors.Errorf("unit %d, want 0..%d", in.Unit, s.units-1)
	}
	if s.Needs.Level != Gram {
		return nil
	}
	if err := checkMatrix("G", in.Gram, in.Tasks); err != nil {
		return err
	}
	for t, id := range in.Tasks {
		if d := in.Gram[t*len(in.Tasks)+t]; d < 0 {
			return errors.Errorf("G[%d,%d] = %v, want a squared norm", id, id, d)
		}
	}
	if s.Needs.Squares {
		if len(in.Excess) != len(in.Tasks) {
			return errors.Errorf("%d excess gradients for %d present tasks", len(in.Excess), len(in.Tasks))
		}
		for t, x := range in.Excess {
			if !finite(x) {
				return errors.Errorf("excess gradient of task %d is %v", in.Tasks[t], x)
			}
		}
	}
	if s.Needs.Batches > 1 {
		return checkMatrix("J1 J2^T", in.Cross, in.Tasks)
	}
	return nil
}

func (s *Surgery) checkTasks(in *Input) error {
	if len(in.Losses) != len(in.Tasks) {
		return errors.Errorf("%d losses for %d present tasks", len(in.Losses), len(in.Tasks))
	}
	last := -1
	for t, id := range in.Tasks {
		if id <= last || id >= s.tasks {
			return errors.Errorf("present tasks %v, want ascending ids of 0..%d", append([]int(nil), in.Tasks...), s.tasks-1)
		}
		last = id
		if !finite(in.Losses[t]) {
			return errors.Errorf("loss of task %d is %v", id, in.Losses[t])
		}
	}
	return nil
}

func checkMatrix(what string, g []float64, tasks []int) error {
	m := len(tasks)
	if len(g) != m*m {
		return errors.Errorf("%s has %d entries, want %d for %d present tasks", what, len(g), m*m, m)
	}
	for i, x := range g {
		if !finite(x) {
			return errors.Errorf("%s[%d,%d] = %v (task ids)", what, tasks[i/m], tasks[i%m], x)
		}
	}
	return nil
}

func finite(x float64) bool { return math.Abs(x) <= math.MaxFloat64 }
