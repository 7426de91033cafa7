package main

import (
	"cmp"
	"fmt"
	"strings"

	"artel/config"
	"artel/data"
	"artel/engine"
	"artel/rng"
)

const (
	width   = 784
	classes = 10
	rows    = 16 * 1024
	source  = "random"
)

const base = `
data: {prefetch: 1}
model:
  width: 256
  dropout: 0
  blocks:
    - moe: {experts: 16, k: 2, hidden: 512, balance: 0, z_loss: 0}
    - moe: {experts: 16, k: 2, hidden: 512, balance: 0, z_loss: 0}
optimizer: {warmup: 0, schedule: constant, clip_norm: 0, weight_decay: 0.01}
eval: {every: 0}
log: {every: 1}
`

// setting is a step to be timed, and what a worker is told.
type setting struct {
	Tasks     int     `json:"tasks"`
	Batch     int     `json:"batch,omitempty"` // rows per step; 0: 1024
	Owned     bool    `json:"owned,omitempty"` // every row belongs to one task
	Method    string  `json:"method"`          // "pcgrad", or "pcgrad:operands" with a choice for surgery.memory
	Precision string  `json:"precision,omitempty"`
	LR        float64 `json:"lr,omitempty"`
	Few       bool    `json:"few,omitempty"`     // as many rows as one batch has
	Steps     int     `json:"steps,omitempty"`   // steps of a loss curve
	Weights   string  `json:"weights,omitempty"` // file for the initial parameters, the rows and their labels
	Answers   string  `json:"answers,omitempty"` // file for the losses of the first steps
}

// batch is the number of rows per step.
func (s *setting) batch() int { return cmp.Or(s.Batch, 1024) }

// build makes an engine over random rows. One whose loss curve is asked for has as many rows as a batch, so that every step sees all of them.
func build(s setting) (*engine.Engine, error) {
	n := rows
	if s.Few || s.Answers != "" {
		n = s.batch()
	}
	mix, err := data.NewMemoryMixture(random(n, s.Tasks), s.Owned)
	if err != nil {
		return nil, err
	}
	cfg := engine.Default()
	name, memory, ok := strings.Cut(s.Method, ":")
	if !ok {
		memory = "auto"
	}
	args := []string{"surgery.method=" + name, "surgery.memory=" + memory, fmt.Sprint("batch=", s.batch()), "steps=100000", "optimizer.lr=1e-4"}
	if s.Precision != "" {
		args = append(args, "precision="+s.Precision)
	}
	if s.LR > 0 {
		args = append(args, fmt.Sprint("optimizer.lr=", s.LR))
	}
	if s.Answers != "" {
		args = append(args, fmt.Sprint("steps=", s.Steps), "out="+s.Answers+".run")
	}
	if _, err := config.Decode(&cfg, config.File("base", []byte(base)), config.Args(args)); err != nil {
		return nil, err
	}
	be, _, err := engine.Open(&cfg, "")
	if err != nil {
		return nil, err
	}
	return engine.NewOn(&cfg, be, mix)
}

// random is n normal rows with a random label for every task, and a few of them again as a test split.
func random(n, tasks int) *data.Memory {
	const test = 16
	src := &data.Memory{Name: source, Width: width, Dense: make([]float32, (n+test)*width), Test: test}
	s := rng.New(1)
	for i := range src.Dense {
		src.Dense[i] = float32(s.Normal())
	}
	for t := range tasks {
		labels := make([]int32, n+test)
		for i := range labels {
			labels[i] = int32(s.Intn(classes))
		}
		src.Labels = append(src.Labels, labels)
		src.Tasks = append(src.Tasks, data.TaskSpec{Name: fmt.Sprintf("task%d", t), Classes: make([]string, classes)})
	}
	return src
}
