package gradsurgery_test

import (
	"math"
	"slices"
	"sync"
	"testing"

	"artel/gradsurgery"
	"artel/rng"
)

// memory is what the engine keeps for a method between steps: tracked task gradients and sums of squares, by unit and task.
type memory struct{ y, squares map[[2]int][]float64 }

var memories sync.Map // of *gradsurgery.Surgery

func memoryOf(s *gradsurgery.Surgery) *memory {
	m, _ := memories.LoadOrStore(s, &memory{map[[2]int][]float64{}, map[[2]int][]float64{}})
	return m.(*memory)
}

// copyMemory gives s what the engine would restore with a checkpoint of from.
func copyMemory(s, from *gradsurgery.Surgery) {
	dst, src := memoryOf(s), memoryOf(from)
	for k, v := range src.y {
		dst.y[k] = slices.Clone(v)
	}
	for k, v := range src.squares {
		dst.squares[k] = slices.Clone(v)
	}
}

// row returns the remembered row of a task, zeros at first.
func row(m map[[2]int][]float64, in *gradsurgery.Input, id, p int) []float64 {
	k := [2]int{in.Unit, id}
	if m[k] == nil {
		m[k] = make([]float64, p)
	}
	return m[k]
}

// step does with a method of weights what the engine does in a step: it returns the rows that the weights w apply to.
func (j rows) step(s *gradsurgery.Surgery, in *gradsurgery.Input) (combined rows, w []float64, err error) {
	mem, seen := memoryOf(s), *in
	if s.Needs.Squares {
		for t, id := range in.Tasks {
			var e float64
			sums := row(mem.squares, in, id, len(j[t]))
			for p, v := range j[t] {
				sums[p] += v * v
				e += v * v / math.Sqrt(sums[p]+1e-7)
			}
			seen.Excess = append(seen.Excess, e)
		}
	}
	combined = j
	if s.Needs.Track {
		keep, take := make([]float64, len(j)), make([]float64, len(j))
		if err := s.Track(&seen, keep, take); err != nil {
			return nil, nil, err
		}
		combined = nil
		for t, id := range in.Tasks {
			y := row(mem.y, in, id, len(j[t]))
			for p, v := range j[t] {
				y[p] = keep[t]*y[p] + take[t]*v
			}
			combined = append(combined, slices.Clone(y))
		}
		seen.Gram = combined.gram()
	}
	w = make([]float64, len(j))
	return combined, w, s.Weights(&seen, w)
}

// update runs one step of s on the rows and returns the update and the size of its terms; column kernels are evaluated here from their formulas.
func (j rows) update(t testing.TB, s *gradsurgery.Surgery, in *gradsurgery.Input) (g []float64, size float64) {
	t.Helper()
	if s.Needs.Level == gradsurgery.TaskGradients {
		return j.columns(t, s, in)
	}
	combined, w, err := j.step(s, in)
	if err != nil {
		t.Fatal(err)
	}
	return combined.times(w)
}

// columns evaluates the column kernel that a method names.
func (j rows) columns(t testing.TB, s *gradsurgery.Surgery, in *gradsurgery.Input) (g []float64, size float64) {
	t.Helper()
	c := gradsurgery.Column{Leak: make([]float64, len(j))}
	if err := s.Columns(in, &c); err != nil {
		t.Fatal(err)
	}
	ones := make([]float64, len(j))
	for i := range ones {
		ones[i] = 1
	}
	_, size = j.times(ones)
	switch c.Kernel {
	case gradsurgery.GradDropColumns:
		u := make([]float64, len(j[0]))
		for p := range u {
			u[p] = float64(rng.Philox(c.Key, c.Hi, uint64(p/4))[p%4]) / (1 << 32)
		}
		return gradDrop(j, c.Leak, u), size
	case gradsurgery.TrimmedMeanColumns:
		return trimmed(j, c.Trim), size
	}
	t.Fatalf("%s: column kernel %d", s.Entry.Name, c.Kernel)
	return nil, 0
}

// trimmed is the formula of kernels.TrimmedMean.
func trimmed(j rows, trim int) []float64 {
	out := make([]float64, len(j[0]))
	k := min(trim, (len(j)-1)/2)
	for p := range out {
		var column []float64
		for _, r := range j {
			column = append(column, r[p])
		}
		slices.Sort(column)
		for _, v := range column[k : len(j)-k] {
			out[p] += v / float64(len(j)-2*k)
		}
	}
	return out
}
