package engine

import (
	"math"
	"slices"
	"testing"

	"artel/autograd"
	"artel/dtype"
	"artel/internal/tol"
)

// CheckCross recomputes the inner products of the last step between the first two independent batches of its only unit.
func CheckCross(t *testing.T, e *Engine) {
	t.Helper()
	s := e.surgeon
	if len(s.sinks) != 3 || len(s.units) != 1 {
		t.Fatalf("%d sinks, %d units; want 3 and 1", len(s.sinks), len(s.units))
	}
	want := make([]float64, s.rows*s.rows)
	for _, g := range s.units[0].groups {
		a, b := s.sinks[0].GroupRows(g), s.sinks[1].GroupRows(g)
		for x := 0; x < s.rows; x++ {
			for y := 0; y < s.rows; y++ {
				if p := s.cells[g.Index].present.I32(); p[x] == 0 || p[y] == 0 {
					continue
				}
				for j, v := range a.At(x).F64() {
					want[x*s.rows+y] += v * b.At(y).F64()[j]
				}
			}
		}
	}
	if want[1] == want[s.rows] {
		t.Error("the matrix is symmetric: are the batches the same?")
	}
	tol.Check(t, "J1 J2'", dtype.F64, 10000, s.in.Cross, want)
}

// WithoutPlainPasses makes an engine that uses weights again do so by combining rows, and a second pass combine as well.
func WithoutPlainPasses(e *Engine) *Engine {
	e.blend.global, e.blend.replay = false, false
	return e
}

// RowBytes is the memory that task gradients take.
func RowBytes(e *Engine) int64 { return e.sink.Bytes() }

// Trains reports, for every element of the flat parameters, whether it trains.
func Trains(e *Engine) []int32 { return e.mask.keep.I32() }

// RepGradient returns the gradient of Rep-MTL's losses on the next batch, and those losses for any parameters.
func RepGradient(t *testing.T, e *Engine) (grad []float64, h func() float64) {
	t.Helper()
	e.nextBatches()
	if err := e.begin(0); err != nil {
		t.Fatal(err)
	}
	h = func() float64 {
		clear(e.losses)
		e.sinks[0].Begin(e.be)
		if err := e.pass(e.mode(), e.batches[0]); err != nil {
			t.Fatal(err)
		}
		if err := e.tape.Backward(e.sinks[0], nil); err != nil {
			t.Fatal(err)
		}
		return e.at.rep.loss.F64()[0] + e.at.rep.loss.F64()[1]
	}
	h()
	e.be.Fill(e.sink.Grad, 0)
	if err := e.at.rep.add(); err != nil {
		t.Fatal(err)
	}
	return append([]float64(nil), e.sink.Grad.F64()...), h
}

// SpoilOnce makes an auxiliary loss after one step NaN where the stream looks for it.
func SpoilOnce(e *Engine, step int64) {
	for i := range e.flights.ring {
		f := &e.flights.ring[i]
		call := f.asked.callAfter
		f.asked.callAfter = func() {
			if f.step == step {
				f.after.values.F64()[slices.Index(f.after.tasks, autograd.AuxLoss)] = math.NaN()
				step = -1
			}
			call()
		}
	}
}

// Losses are the losses of the last step by task.
func Losses(e *Engine) []float64 { return e.losses }

// RepLoss is the sum of Rep-MTL's losses in the last step.
func RepLoss(e *Engine) float64 { return e.at.rep.loss.F64()[0] + e.at.rep.loss.F64()[1] }
