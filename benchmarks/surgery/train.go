package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"artel/config"
	"artel/data"
	"artel/engine"
)

// result is what a run leaves.
type result struct {
	Metrics   engine.Metrics `json:"metrics"`
	Conflicts float64        `json:"conflicts"` // mean share of pairs of tasks in conflict, over steps; -1 where no task gradients were made
	Error     string         `json:"error,omitempty"`
}

// job is one run.
type job struct {
	p      *problem
	name   string
	args   []string
	seed   int
	tuning bool
}

// newEngine builds the engine of a job.
func (j *job) newEngine() (*engine.Engine, error) {
	be, _, err := engine.OpenDevice("cpu", "")
	if err != nil {
		return nil, err
	}
	cfg := engine.Default()
	args := append([]string{"optimizer.lr=5e-3", "optimizer.weight_decay=0", "eval.batch=500"}, j.p.args...)
	args = append(args, j.args...)
	args = append(args, fmt.Sprint("seed=", j.seed))
	if _, err := config.Decode(&cfg, config.Args(args)); err != nil {
		return nil, err
	}
	if j.p.source == nil {
		return engine.New(&cfg, be)
	}
	m, err := data.NewMemoryMixture(j.p.source(j.seed, j.tuning), false)
	if err != nil {
		return nil, err
	}
	return engine.NewOn(&cfg, be, m)
}

// train runs a job.
func (j *job) train() (*result, error) {
	e, err := j.newEngine()
	if err != nil {
		return nil, err
	}
	defer e.Close()
	r := &result{Conflicts: -1}
	seen, sum := 0, 0.0
	for range e.Config.Steps {
		if err := e.Step(); err != nil {
			r.Error = err.Error() // a method that has no answer is a result, too
			return r, nil
		}
		for _, u := range e.Units() {
			if slices.ContainsFunc(u.Cosines, func(c float64) bool { return c != 0 }) { // column methods see no inner products
				seen++
				sum += u.Conflicts
			}
		}
	}
	if seen > 0 {
		r.Conflicts = sum / float64(seen)
	}
	split := data.Test
	if j.tuning && j.p.source == nil {
		split = data.Val
	}
	r.Metrics, err = e.Evaluate(split)
	return r, err
}

// do runs a job, or reads what it left before.
func (s *suite) do(j job) (*result, error) {
	path := filepath.Join(s.out, j.p.name, fmt.Sprintf("%s-%d.json", strings.ReplaceAll(j.name, "/", "-"), j.seed))
	raw, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		start := time.Now()
		r, err := j.train()
		if err != nil {
			return nil, fmt.Errorf("%s, %s, seed %d: %w", j.p.name, j.name, j.seed, err)
		}
		fmt.Fprintf(os.Stderr, "%s  %s  seed %d  %.1f s  %s\n", j.p.name, j.name, j.seed, time.Since(start).Seconds(), r.Error)
		runtime.GC()
		if raw, err = json.Marshal(r); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, raw, 0o666); err != nil {
			return nil, err
		}
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	var r result
	return &r, json.Unmarshal(raw, &r)
}
