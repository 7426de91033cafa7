package gradsurgery_test

import (
	"encoding/json"
	"testing"

	"artel/config"
	"artel/gradsurgery"
	"artel/rng"
)

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
	"imtl_l": func(t *testing.T, g *goldenFile, q *goldenSequence, o map[string]json.RawMessage) bool {
		s := build(t, "imtl_l", &gradsurgery.IMTLLOptions{Optimizer: "sgd", LR: 0.1}, 3)
		for i, step := range q.Steps {
			close2(t, "weights", lossWeights(t, s, g.Inputs.Losses[i]), step.DLoss, 1e-14)
			close2(t, "s", state(t, s, "log_scale"), step.Param, 1e-14)
		}
		return true
	},
	"gls": func(t *testing.T, g *goldenFile, q *goldenSequence, o map[string]json.RawMessage) bool {
		for i, step := range q.Steps {
			close2(t, "weights", lossWeights(t, build(t, "gls", nil, 3), g.Inputs.Losses[i]), step.DLoss, 1e-14)
		}
		return true
	},
	"stch": func(t *testing.T, g *goldenFile, q *goldenSequence, o map[string]json.RawMessage) bool {
		cfg := &gradsurgery.STCHOptions{Mu: number(t, o, "mu")}
		json.Unmarshal(o["weights"], &cfg.Pref) // a word means the default
		json.Unmarshal(o["reference"], &cfg.Reference)
		for i, step := range q.Steps {
			close2(t, "weights", lossWeights(t, build(t, "stch", cfg, 3), g.Inputs.Losses[i]), step.DLoss, 1e-14)
		}
		return true
	},
	"dwa": func(t *testing.T, g *goldenFile, q *goldenSequence, o map[string]json.RawMessage) bool {
		var epochs [][][]float64
		if json.Unmarshal(q.EpochBatchLosses, &epochs) != nil {
			return false // the LibMTL entry refers to the other one, and agrees with it
		}
		cfg := &gradsurgery.DWAOptions{Temperature: number(t, o, "temperature"), Window: len(epochs[0])}
		s := build(t, "dwa", cfg, 3)
		for i, step := range q.Steps {
			for _, losses := range epochs[i] {
				close2(t, "weights", lossWeights(t, s, losses), step.Weights, 1e-14)
			}
		}
		return true
	},
	"gradnorm": func(t *testing.T, g *goldenFile, q *goldenSequence, o map[string]json.RawMessage) bool {
		form := map[string]string{"formula": "plain", "libmtl": "softmax"}[q.Library]
		s := build(t, "gradnorm", &gradsurgery.GradNormOptions{Alpha: 1.5, LR: 0.1, Layers: "all", Raw: true, Form: form}, 3)
		copy(state(t, s, "first"), g.Inputs.Losses[0])
		for i, step := range q.Steps {
			in := g.Inputs.J[i].input()
			in.Losses = g.Inputs.Losses[i+1]
			w := make([]float64, 3)
			if err := s.Weights(in, w); err != nil {
				t.Fatal(err)
			}
			close2(t, "weights", w, step.Weights, 1e-13)
			close2(t, "next weights", state(t, s, "weights"), step.Param, 1e-13)
		}
		return true
	},
	"gradvac": func(t *testing.T, g *goldenFile, q *goldenSequence, o map[string]json.RawMessage) bool {
		track := map[string]string{"torchjd": "all", "libmtl": "corrected"}[q.Library]
		perms := gradvacOrders(t, g)
		var saved []gradsurgery.Array
		for i, step := range q.Steps { // the orders are options, so every step is a new method with the state of the last
			s := build(t, "gradvac", &gradsurgery.GradVacOptions{Beta: 0.5, Order: "given", Given: perms[i], Reduction: "sum", Track: track}, 3)
			if i > 0 {
				if err := s.Restore(saved); err != nil {
					t.Fatal(err)
				}
			}
			in := g.Inputs.J[i].input()
			w := make([]float64, 3)
			if err := s.Weights(in, w); err != nil {
				t.Fatal(err)
			}
			close2(t, "weights", w, step.Weights, 1e-7)
			var phi []float64
			for _, row := range step.Phi {
				phi = append(phi, row...)
			}
			close2(t, "targets", state(t, s, "target"), phi, 1e-7)
			saved = s.State()
		}
		return true
	},
	"nash_mtl": func(t *testing.T, g *goldenFile, q *goldenSequence, o map[string]json.RawMessage) bool {
		cfg := &gradsurgery.NashOptions{MaxNorm: number(t, o, "max_norm"), Every: int(number(t, o, "update_weights_every"))}
		s := build(t, "nash_mtl", cfg, 3)
		for i, step := range q.Steps { // every step restores the state of the last into a new method
			saved := s.State()
			s = build(t, "nash_mtl", cfg, 3)
			if err := s.Restore(saved); err != nil {
				t.Fatal(err)
			}
			w := gramWeights(t, s, g.Inputs.J[i])
			close2(t, "weights", w, step.Weights, 2e-3) // the library stops at 1e-3
		}
		return true
	},
	"pcd": func(t *testing.T, g *goldenFile, q *goldenSequence, o map[string]json.RawMessage) bool {
		s := build(t, "pcd", &gradsurgery.PCDOptions{Tau: number(t, o, "tau"), Beta: number(t, o, "beta"), Primary: int(number(t, o, "primary"))}, 3)
		for i, step := range q.Steps {
			close2(t, "weights", gramWeights(t, s, g.Inputs.J[i]), step.Weights, 1e-8)
		}
		return true
	},
	"pbi": func(t *testing.T, g *goldenFile, q *goldenSequence, o map[string]json.RawMessage) bool {
		cfg := &gradsurgery.PBIOptions{Theta: number(t, o, "theta"), Pref: numbers(t, o, "weights"), Reference: numbers(t, o, "reference")}
		for i, step := range q.Steps {
			close2(t, "weights", lossWeights(t, build(t, "pbi", cfg, 3), g.Inputs.Losses[i]), step.DLoss, 1e-10) // the library adds 1e-12 under a root
		}
		return true
	},
	"cosmos": func(t *testing.T, g *goldenFile, q *goldenSequence, o map[string]json.RawMessage) bool {
		cfg := &gradsurgery.COSMOSOptions{Lambda: number(t, o, "lambda"), Pref: numbers(t, o, "weights")}
		for i, step := range q.Steps {
			close2(t, "weights", lossWeights(t, build(t, "cosmos", cfg, 3), g.Inputs.Losses[i]), step.DLoss, 1e-14)
		}
		return true
	},
	"rlw": func(t *testing.T, g *goldenFile, q *goldenSequence, o map[string]json.RawMessage) bool {
		for _, step := range q.Steps { // the member draws by itself; what follows the draw is compared
			if step.Draw == nil {
				return false // the LibMTL entry refers to the draws of the other one, and agrees with it
			}
			w := append([]float64(nil), step.Draw...)
			gradsurgery.Softmax(w)
			close2(t, "weights", w, step.Weights, 1e-14)
		}
		return true
	},
	"modo": func(t *testing.T, g *goldenFile, q *goldenSequence, o map[string]json.RawMessage) bool {
		s := build(t, "modo", &gradsurgery.MoDoOptions{Gamma: number(t, o, "gamma"), Rho: number(t, o, "rho")}, 3)
		for i, step := range q.Steps {
			close2(t, "weights", crossWeights(t, s, g, i), step.Weights, 1e-13)
		}
		return true
	},
	"excess_mtl": func(t *testing.T, g *goldenFile, q *goldenSequence, o map[string]json.RawMessage) bool {
		warm := int(number(t, o, "n_warmup_steps"))
		s := build(t, "excess_mtl", &gradsurgery.ExcessMTLOptions{Eta: number(t, o, "robust_step_size"), Warmup: warm, Normalize: "1"}, 3)
		for i, step := range q.Steps {
			_, w, err := g.Inputs.J[i].step(s, g.Inputs.J[i].input())
			if err != nil {
				t.Fatal(err)
			}
			want := step.Weights
			if warm == 0 { // the library's first step does not divide by the start, which stays in its weights as a factor
				want = make([]float64, 3)
				var sum float64
				for k := range want {
					want[k] = step.Weights[k] / q.Steps[0].Weights[k]
					sum += want[k]
				}
				for k := range want {
					want[k] /= sum
				}
			}
			close2(t, "weights", w, want, 1e-6) // the library adds 1e-7 to the start
		}
		return true
	},
	"cr_mogm": func(t *testing.T, g *goldenFile, q *goldenSequence, o map[string]json.RawMessage) bool {
		s := build(t, "cr_mogm", &gradsurgery.CRMOGMOptions{Alpha: number(t, o, "alpha"), Base: config.With("upgrad", &gradsurgery.ConeOptions{})}, 3)
		for i, step := range q.Steps {
			close2(t, "weights", gramWeights(t, s, g.Inputs.J[i]), step.Weights, 1e-3) // the inner method of the library is regularised by 1e-4
		}
		return true
	},
	"sdmgrad": func(t *testing.T, g *goldenFile, q *goldenSequence, o map[string]json.RawMessage) bool {
		s := build(t, "sdmgrad", &gradsurgery.SDMGradOptions{Lambda: number(t, o, "lambda"), LR: number(t, o, "lr"),
			Momentum: number(t, o, "momentum"), Iterations: int(number(t, o, "n_iter"))}, 3)
		for i, step := range q.Steps {
			close2(t, "weights", crossWeights(t, s, g, i), step.Weights, 1e-7) // the library adds 1e-8 to s^2
		}
		return true
	},
}

// gramWeights runs a method on the inner products of rows.
func gramWeights(t *testing.T, s *gradsurgery.Surgery, j rows) []float64 {
	t.Helper()
	_, w, err := j.step(s, j.input())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// crossWeights runs a method on the cross products of step i.
func crossWeights(t *testing.T, s *gradsurgery.Surgery, g *goldenFile, i int) []float64 {
	t.Helper()
	in := g.Inputs.J[i].input()
	in.Cross = nil
	for _, a := range g.Inputs.J[i] {
		for _, b := range g.Inputs.J2[i] {
			in.Cross = append(in.Cross, dot(a, b))
		}
	}
	w := make([]float64, 3)
	if err := s.Weights(in, w); err != nil {
		t.Fatal(err)
	}
	return w
}

// gradvacOrders returns the recorded orders, which only one of the two sequences lists.
func gradvacOrders(t *testing.T, g *goldenFile) (perms [][][]int) {
	t.Helper()
	for _, raw := range g.Sequences {
		var q goldenSequence
		if json.Unmarshal(raw, &q) == nil && q.Method == "gradvac" && q.Library == "torchjd" {
			for _, step := range q.Steps {
				perms = append(perms, step.Permutations)
			}
		}
	}
	return perms
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

func numbers(t *testing.T, o map[string]json.RawMessage, key string) (x []float64) {
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
