package data

import (
	"artel/rng"

	"github.com/pkg/errors"
)

// Memory is a source over arrays that the caller holds: for library users and tests. It is no member of the registry, because a config file cannot
// name arrays; put it into a mixture with NewMixtureOf.
type Memory struct {
	Name   string
	Dense  []float32 // [N*Width]
	Width  int
	Tasks  []TaskSpec
	Labels [][]int32   // [tasks][N], -1 for a missing label; nil for tasks with values
	Values [][]float32 // [tasks][N*outputs], NaN for a missing value; nil for tasks with classes
	Test   int         // the last Test examples are the test split
}

// Spec describes the arrays.
func (m *Memory) Spec() Spec { return Spec{Name: m.Name, Dense: m.Width, Tasks: m.Tasks} }

// Len returns the number of examples of a split.
func (m *Memory) Len(s Split) int {
	n := len(m.Dense) / m.Width
	switch s {
	case Train:
		return n - m.Test
	case Test:
		return m.Test
	}
	return 0
}

// Fill copies one example.
func (m *Memory) Fill(split Split, i uint64, _ rng.Stream, r *Row) {
	at := int(i)
	if split == Test {
		at += m.Len(Train)
	}
	copy(r.Dense, m.Dense[at*m.Width:])
	for t, ts := range m.Tasks {
		if ts.Classes != nil {
			r.Labels[t] = m.Labels[t][at]
		} else {
			copy(r.Values[t], m.Values[t][at*ts.Outputs:])
		}
	}
}

// check reports arrays that do not fit each other.
func (m *Memory) check() error {
	if m.Width < 1 || len(m.Dense)%m.Width != 0 {
		return errors.Errorf("data: %s: %d numbers are no rows of width %d", m.Name, len(m.Dense), m.Width)
	}
	n := len(m.Dense) / m.Width
	for t, ts := range m.Tasks {
		if ts.Classes != nil && (t >= len(m.Labels) || len(m.Labels[t]) != n) {
			return errors.Errorf("data: %s: task %s: want %d labels", m.Name, ts.Name, n)
		}
		if ts.Classes == nil && (t >= len(m.Values) || len(m.Values[t]) != n*ts.Outputs) {
			return errors.Errorf("data: %s: task %s: want %d x %d values", m.Name, ts.Name, n, ts.Outputs)
		}
		for i, l := range labelsOf(m, t) {
			if int(l) >= len(ts.Classes) {
				return errors.Errorf("data: %s: task %s: label %d of example %d, want under %d", m.Name, ts.Name, l, i, len(ts.Classes))
			}
		}
	}
	return nil
}

func labelsOf(m *Memory, t int) []int32 {
	if m.Tasks[t].Classes == nil {
		return nil
	}
	return m.Labels[t]
}
