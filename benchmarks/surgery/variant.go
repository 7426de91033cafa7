package main

import (
	"fmt"
	"time"

	"artel/data"
	"artel/engine"
	"artel/gradsurgery"
	"artel/rng"
)

// variant is one way to train.
type variant struct {
	name string
	args []string
	run  func(p problem, seed int) (*result, error)
}

// variants lists the baselines, every method with its default options, and some combinations.
func variants() []variant {
	out := []variant{
		{name: "single-task", run: singleTask},
		{name: "tuned weights", run: tuned},
	}
	add := func(name string, args ...string) {
		out = append(out, variant{name: name, args: args, run: func(p problem, seed int) (*result, error) { return train(p, name, seed, args) }})
	}
	// A rule shows the conflicts of a plain sum, which as a method of its own sees no task gradients.
	add("sum", "surgery.rules=[{method: sum}]")
	for _, e := range gradsurgery.Entries() {
		if e.Name != "sum" && e.Name != "constant" { // constant is sum by default
			add(e.Name, "surgery.method="+e.Name)
		}
	}
	add("sum, sparse 0.3", "surgery.rules=[{method: sum}]", "surgery.sparse=0.3")
	add("pcgrad, sparse 0.3", "surgery.sparse=0.3")
	add("pcgrad, every 4", "surgery.every=4")
	add("mgda at the trunk's end", "surgery.method=mgda", "surgery.at=blocks.0")
	add("aligned_mtl at the trunk's end", "surgery.method=aligned_mtl", "surgery.at=blocks.0")
	return out
}

// train runs one training and evaluates it.
func train(p problem, name string, seed int, args []string) (*result, error) {
	e, err := p.build(append([]string{fmt.Sprint("seed=", seed)}, args...), false)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	r := &result{Problem: p.name, Variant: name, Seed: seed, Conflicts: -1}
	start, conflicts, counted := time.Now(), 0.0, 0
	for range e.Config.Steps {
		if err := e.Step(); err != nil {
			return nil, err
		}
		for _, u := range e.Units() {
			conflicts += u.Conflicts
			counted++
		}
	}
	r.MS = 1e3 * time.Since(start).Seconds() / float64(e.Config.Steps)
	if counted > 0 {
		r.Conflicts = conflicts / float64(counted)
	}
	return r, r.evaluate(e, data.Test)
}

// evaluate fills the scores and losses of all tasks.
func (r *result) evaluate(e *engine.Engine, split data.Split) error {
	m, err := e.Evaluate(split)
	if err != nil {
		return err
	}
	r.Score, r.Loss = map[string]float64{}, map[string]float64{}
	for task, values := range m {
		score, ok := values["accuracy"]
		if !ok {
			score = values["r2"]
		}
		r.Score[task], r.Loss[task] = 100*score, values["loss"]
	}
	return nil
}

// singleTask trains one model per task.
func singleTask(p problem, seed int) (*result, error) {
	out := &result{Problem: p.name, Variant: "single-task", Seed: seed, Conflicts: -1, Score: map[string]float64{}, Loss: map[string]float64{}}
	for _, t := range p.tasks {
		args := []string{"surgery.method=sum"}
		for _, o := range p.tasks {
			w := 0
			if o == t {
				w = 1
			}
			args = append(args, fmt.Sprintf("tasks.%s.weight=%d", o, w))
		}
		r, err := train(p, "single-task", seed, args)
		if err != nil {
			return nil, err
		}
		out.Score[t], out.Loss[t] = r.Score[t], r.Loss[t]
		out.MS += r.MS
	}
	return out, nil
}

// tuned trains with fixed weights: the best of equal ones and eight random draws (lognormal, spread 0.7) on training examples held out, by the mean score.
func tuned(p problem, seed int) (*result, error) {
	s := rng.New(uint64(seed)).Sub("tuning")
	var best []string
	top := -1e9
	for try := range 9 {
		args := []string{"surgery.method=sum"}
		for _, t := range p.tasks {
			w := 1.0
			if try > 0 {
				w = exp(0.7 * s.Normal())
			}
			args = append(args, fmt.Sprintf("tasks.%s.weight=%.4g", t, w))
		}
		score, err := held(p, seed, args)
		if err != nil {
			return nil, err
		}
		if score > top {
			top, best = score, args
		}
	}
	return train(p, "tuned weights", seed, best)
}

// held is the mean score on training examples held out.
func held(p problem, seed int, args []string) (float64, error) {
	e, err := p.build(append([]string{fmt.Sprint("seed=", seed)}, args...), true)
	if err != nil {
		return 0, err
	}
	defer e.Close()
	for range e.Config.Steps {
		if err := e.Step(); err != nil {
			return 0, err
		}
	}
	split := data.Test
	if p.source == nil {
		split = data.Val
	}
	var r result
	if err := r.evaluate(e, split); err != nil {
		return 0, err
	}
	sum := 0.0
	for _, v := range r.Score {
		sum += v / float64(len(r.Score))
	}
	return sum, nil
}
