package engine_test

import (
	"reflect"
	"testing"

	"artel/data"
	"artel/engine"
	"artel/kernels"
	"artel/kernels/cpu"
	"artel/tensor"
)

// TestKeptWeights: steps of several passes and evaluations keep weights packed, a step of one pass does not; either way the bits are the same.
func TestKeptWeights(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		open func() *kernels.Backend
		kept int // times in three steps
	}{
		{"one pass", nil, cpu.New, 0},
		{"accumulate", []string{"accumulate=3"}, cpu.New, 3},
		{"accumulate in bfloat16", []string{"accumulate=3", "ema=0.9"}, func() *kernels.Backend { return halves(t) }, 3},
		{"inner products only", []string{"surgery.memory=gram"}, cpu.New, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			be, plain := c.open(), c.open()
			kept, keep := 0, be.Keep
			be.Keep = func(w *tensor.Storage, on bool) {
				if on {
					kept++
				}
				keep(w, on)
			}
			plain.Keep = func(*tensor.Storage, bool) {}
			got, want := newOn(t, newConfig(t, c.args...), be), newOn(t, newConfig(t, c.args...), plain)
			for round := range 2 {
				kept = 0
				steps(t, got, 3)
				steps(t, want, 3)
				if kept != c.kept {
					t.Errorf("round %d: three steps keep weights %d times, want %d", round, kept, c.kept)
				}
				if a, b := evaluated(t, got), evaluated(t, want); !reflect.DeepEqual(a, b) {
					t.Errorf("round %d: evaluation gives %v, want %v", round, a, b)
				}
				if kept != c.kept+1 {
					t.Errorf("round %d: an evaluation keeps weights %d times, want once", round, kept-c.kept)
				}
				sameBits(t, params(got), params(want))
			}
		})
	}
}

func evaluated(t *testing.T, e *engine.Engine) engine.Metrics {
	t.Helper()
	m, err := e.Evaluate(data.Test)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
