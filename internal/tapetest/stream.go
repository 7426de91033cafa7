package tapetest

import (
	"slices"
	"testing"

	"artel/autograd"
	"artel/param"
	"artel/tensor"
)

// streaming checks that a sink without memory for all rows hands on the same bits as one that keeps them, each parameter once, and that the recording can be
// run backward again.
func (f *fixture) streaming(t *testing.T, want [][]float64) {
	t.Helper()
	f.forward(autograd.PerTask, false)
	reach := f.tape.Reach(f.set)
	var got [][]float64
	seen := map[string]int{}
	drain := func(p *param.Param, rows, present tensor.Tensor) {
		seen[p.Name]++
		for task := range got {
			if present.I32()[task] != 0 {
				copy(got[task][p.Off:], f.read(rows.At(task)))
			}
		}
	}
	k, err := param.NewStreaming(f.be, f.set, f.tasks, reach, drain)
	if err != nil {
		t.Fatal(err)
	}
	for pass := range 2 {
		got = nil
		for range f.tasks {
			got = append(got, make([]float64, f.set.Flat.Len()))
		}
		clear(seen)
		if pass > 0 {
			f.tape.Rewind()
		}
		k.Begin(f.be)
		if err := f.tape.Backward(k, nil); err != nil {
			t.Fatalf("streaming, pass %d: %v", pass, err)
		}
		k.Settle(f.be, tensor.Tensor{}, tensor.Tensor{}, false)
		for gi, g := range f.set.Groups {
			if !k.PerTask(g) && reach[gi] != 0 {
				copy(got[lowest(reach[gi])][g.Off:], f.read(k.GroupGrad(g)))
			}
		}
		for task := range got {
			if !slices.Equal(got[task], want[task]) {
				t.Errorf("streaming, pass %d: the gradient of task %d differs from the one in kept rows", pass, task)
			}
		}
		for name, n := range seen {
			if n != 1 {
				t.Errorf("streaming, pass %d: %s was passed on %d times", pass, name, n)
			}
		}
	}
}
