package gradsurgery_test

import (
	"encoding/json"
	"testing"

	"artel/gradsurgery"
	"artel/rng"
)

// sequenceOptions are all options that occur in the reference sequences.
type sequenceOptions struct {
	Init, LR, Decay float64
	Temperature, T  float64
	Mu              float64
	Beta            float64
}

// sequenceTests check members with memory, or losses alone, step by step; the key is the method's name in the reference file.
var sequenceTests = map[string]func(t *testing.T, g *goldenFile, q *goldenSequence, raw map[string]json.RawMessage) bool{
	"famo": func(t *testing.T, g *goldenFile, q *goldenSequence, o map[string]json.RawMessage) bool {
		s := build(t, "famo", &gradsurgery.FAMOOptions{LR: number(t, o, "lr"), Decay: number(t, o, "weight_decay")}, 3)
		for i, step := range q.Steps {
			close2(t, "weights", lossWeights(t, s, g.Inputs.Losses[i]), step.DLoss, 1e-13)
			if err := s.AfterStep([]int{0, 1, 2}, g.Inputs.Losses[i+1]); err != nil {
				t.Fatal(err)
			}
			close2(t, "logits", state(t, s, "logits"), step.Logits, 1e-12)
		}
		return true
	},
	"uw": func(t *testing.T, g *goldenFile, q *goldenSequence, o map[string]json.RawMessage) bool {
		s := build(t, "uncertainty", &gradsurgery.UncertaintyOptions{Init: number(t, o, "init"), Optimizer: "sgd", LR: 0.1}, 3)
		for i, step := range q.Steps {
			close2(t, "weights", lossWeights(t, s, g.Inputs.Losses[i]), step.DLoss, 1e-14)
			close2(t, "s", state(t, s, "log_variance"), step.Param, 1e-14)
		}
		return true
	},
}

func TestGoldenSequences(t *testing.T) {
	g := loadGolden(t)
	done := map[string]int{}
	for _, raw := range g.Sequences {
		var q goldenSequence
		if err := json.Unmarshal(raw, &q); err != nil {
			var head struct{ Method string }
			if json.Unmarshal(raw, &head); sequenceTests[head.Method] == nil {
				continue
			}
			t.Fatal(err)
		}
		f := sequenceTests[q.Method]
		if f == nil {
			continue
		}
		t.Run(q.Method+"/"+q.Library, func(t *testing.T) {
			var o map[string]json.RawMessage
			if err := json.Unmarshal(q.Options, &o); err != nil {
				t.Fatal(err)
			}
			if f(t, g, &q, o) {
				done[q.Method]++
			}
		})
	}
	for name := range sequenceTests {
		if done[name] == 0 {
			t.Errorf("no sequence of %q was compared", name)
		}
	}
}

func number(t *testing.T, o map[string]json.RawMessage, key string) (x float64) {
	t.Helper()
	if err := json.Unmarshal(o[key], &x); err != nil {
		t.Fatalf("option %s: %v", key, err)
	}
	return x
}

func lossWeights(t *testing.T, s *gradsurgery.Surgery, losses []float64) []float64 {
	t.Helper()
	in := &gradsurgery.Input{Losses: losses, RNG: rng.New(1)}
	for i := range losses {
		in.Tasks = append(in.Tasks, i)
	}
	w := make([]float64, len(losses))
	if err := s.Weights(in, w); err != nil {
		t.Fatal(err)
	}
	return w
}

func state(t *testing.T, s *gradsurgery.Surgery, name string) []float64 {
	t.Helper()
	for _, a := range s.State() {
		if a.Name == name {
			return a.Data
		}
	}
	t.Fatalf("no state %q", name)
	return nil
}

func close2(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i := range want {
		if !near(got[i], want[i], tol*(1+max(want[i], -want[i]))) {
			t.Errorf("%s[%d] = %.17g, want %.17g", what, i, got[i], want[i])
		}
	}
}
