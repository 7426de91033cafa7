package engine

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"

	"artel/moe"

	"github.com/pkg/errors"
)

// StepLine is a line of metrics.jsonl about a training step.
type StepLine struct {
	Step       int64              `json:"step"`
	Seconds    float64            `json:"seconds"`
	Loss       map[string]float64 `json:"loss"`
	Aux        float64            `json:"aux"`
	LR         float64            `json:"lr"`
	GradNorm   float64            `json:"grad_norm"`
	RowsPerSec float64            `json:"rows_per_s"`
	Units      []UnitLine         `json:"surgery,omitempty"`
}

// EvalLine is a line of metrics.jsonl about an evaluation.
type EvalLine struct {
	Step    int64       `json:"step"`
	Seconds float64     `json:"seconds"`
	Eval    Metrics     `json:"eval"`
	Routing []RouteLine `json:"routing,omitempty"`
}

// RouteLine tells how a mixture routed an evaluation.
type RouteLine struct {
	Layer      string    `json:"layer"`
	Load       []float64 `json:"load"` // share of picks by expert
	MaxLoad    float64   `json:"max_load"`
	Dead       int       `json:"dead"`
	Entropy    float64   `json:"entropy"`
	Dropped    float64   `json:"dropped"` // share of picks
	MutualInfo float64   `json:"task_expert_information"`
	TaskLoad   []float64 `json:"task_load,omitempty"` // [tasks*experts] share of a task's picks
}

// metricsFile appends lines to metrics.jsonl.
type metricsFile struct {
	f *os.File
	w *bufio.Writer
	e *json.Encoder
}

// openMetrics opens the file; a continued run first drops lines after its checkpoint, so that no step appears twice.
func openMetrics(path string, fresh bool, step int64) (*metricsFile, error) {
	var keep []byte
	if !fresh {
		raw, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		for _, line := range bytes.SplitAfter(raw, []byte("\n")) {
			var l struct {
				Step int64 `json:"step"`
			}
			if json.Unmarshal(line, &l) == nil && l.Step <= step {
				keep = append(keep, line...)
			}
		}
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(keep); err != nil {
		return nil, err
	}
	w := bufio.NewWriter(f)
	return &metricsFile{f: f, w: w, e: json.NewEncoder(w)}, nil
}

func (m *metricsFile) step(r *Run, aux float64) error {
	p := &r.progress
	l := StepLine{Step: p.Step, Seconds: p.Seconds, Loss: p.Losses, Aux: aux, LR: p.LR, GradNorm: p.Norm, RowsPerSec: p.RowsPerSec, Units: r.Engine.Units()}
	if err := m.e.Encode(&l); err != nil {
		return errors.Wrap(err, "metrics.jsonl")
	}
	return m.w.Flush()
}

func (m *metricsFile) eval(r *Run, metrics Metrics) error {
	l := EvalLine{Step: r.Engine.step, Seconds: r.Seconds(), Eval: metrics}
	for _, s := range r.Engine.RoutingStats() {
		l.Routing = append(l.Routing, routeLine(s))
	}
	if err := m.e.Encode(&l); err != nil {
		return errors.Wrap(err, "metrics.jsonl")
	}
	return m.w.Flush()
}

func routeLine(s *moe.Stats) RouteLine {
	l := RouteLine{Layer: s.Layer, MaxLoad: s.MaxLoad(), Dead: s.Dead(), Entropy: s.MeanEntropy(), MutualInfo: s.MutualInformation()}
	if s.Picks > 0 {
		l.Dropped = float64(s.Dropped) / float64(s.Picks)
		for _, n := range s.Load {
			l.Load = append(l.Load, float64(n)/float64(s.Picks))
		}
	}
	for t := 0; t < s.Tasks; t++ {
		row := s.TaskLoad[t*s.Experts : (t+1)*s.Experts]
		var sum int64
		for _, n := range row {
			sum += n
		}
		if sum == 0 {
			continue
		}
		for _, n := range row {
			l.TaskLoad = append(l.TaskLoad, float64(n)/float64(sum))
		}
	}
	return l
}

func (m *metricsFile) close() error {
	if err := m.w.Flush(); err != nil {
		return err
	}
	return m.f.Close()
}
