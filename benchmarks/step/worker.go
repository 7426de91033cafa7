package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"artel/benchmarks/internal/bench"
	"artel/benchmarks/internal/numbers"
	"artel/benchmarks/internal/peak"
	"artel/engine"

	"go.uber.org/zap"
)

// serve holds one step ready.
func serve(raw string) error {
	var s setting
	if err := json.Unmarshal([]byte(raw), &s); err != nil {
		return err
	}
	e, err := build(s)
	if err != nil {
		return err
	}
	defer e.Close()
	if s.Answers != "" {
		if err := describe(e, &s); err != nil {
			return err
		}
		return curve(e, &s)
	}
	info := bench.Info{Tokens: float64(s.batch())}
	if k, ok := peak.Of(s.Precision == "bf16"); ok {
		info.Peak = k.Measure(runtime.GOMAXPROCS(0))
	}
	bench.Serve(info, 3, func() (float64, error) { return 0, e.Step() })
	return nil
}

// firstStep is a process as a user waits for it.
func firstStep(raw string) error {
	var s setting
	if err := json.Unmarshal([]byte(raw), &s); err != nil {
		return err
	}
	e, err := build(s)
	if err != nil {
		return err
	}
	defer e.Close()
	if err := e.Step(); err != nil {
		return err
	}
	fmt.Println("step 1")
	return nil
}

// describe writes what another engine needs to begin where this one does.
func describe(e *engine.Engine, s *setting) error {
	var all []numbers.Array
	for _, p := range e.Set.Params {
		all = append(all, numbers.Array{Name: p.Name, Shape: p.Shape(), Data: p.Value.F32()})
	}
	n := s.batch()
	src := random(n, s.Tasks)
	labels := make([]float32, 0, s.Tasks*n)
	for _, l := range src.Labels {
		for _, v := range l[:n] {
			labels = append(labels, float32(v))
		}
	}
	all = append(all, numbers.Array{Name: "x", Shape: []int{n, width}, Data: src.Dense[:n*width]}, numbers.Array{Name: "labels", Shape: []int{s.Tasks, n}, Data: labels})
	return numbers.Write(s.Weights, all...)
}

// curve trains for a few steps and writes the losses [steps,tasks] that each step found before its update.
func curve(e *engine.Engine, s *setting) error {
	dir := e.Config.Out
	defer os.RemoveAll(dir)
	r, err := engine.Start(e, zap.NewNop())
	if err != nil {
		return err
	}
	if err := r.Train(context.Background()); err != nil {
		return err
	}
	if err := r.Close(); err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		return err
	}
	defer f.Close()
	var losses []float32
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var l engine.StepLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return err
		}
		for t := range s.Tasks {
			if v, ok := l.Loss[fmt.Sprintf("task%d", t)]; ok {
				losses = append(losses, float32(v))
			}
		}
	}
	if len(losses) != s.Steps*s.Tasks {
		return fmt.Errorf("step: %d losses of %d steps and %d tasks", len(losses), s.Steps, s.Tasks)
	}
	if err := numbers.Write(s.Answers, numbers.Array{Name: "losses", Shape: []int{s.Steps, s.Tasks}, Data: losses}); err != nil {
		return err
	}
	json.NewEncoder(os.Stdout).Encode(bench.Info{})
	return nil
}
