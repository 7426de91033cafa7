package engine

import (
	"math"

	"artel/autograd"
	"artel/data"
	"artel/dtype"
	"artel/kernels"
	"artel/moe"
	"artel/tensor"

	"github.com/pkg/errors"
)

// Metrics is the result of an evaluation: by task, by metric name. Every task has "loss" and the metrics of its loss.
type Metrics map[string]map[string]float64

// Evaluate runs the model over a split and returns the metrics of every task that has labels there. With an average of the parameters, that is what is
// evaluated. Routing statistics of the pass are in RoutingStats until the next one.
func (e *Engine) Evaluate(split data.Split) (Metrics, error) {
	if err := e.Finish(); err != nil {
		return nil, err
	}
	e.useAverage(true)
	defer e.useAverage(false)
	e.Set.Keep(true)
	defer e.Set.Keep(false)
	sums := make([]taskSums, len(e.tasks))
	for _, s := range e.stats {
		s.Reset()
	}
	walk := data.NewEval(e.mixture, split, e.Config.Eval.Batch)
	for b := walk.Next(); b != nil; b = walk.Next() {
		e.tape.Begin(autograd.Eval, false)
		h := e.forward(b)
		for i := range b.Segments {
			e.evaluateSegment(h, &b.Segments[i], sums)
		}
		if err := e.tape.Err(); err != nil {
			return nil, err
		}
		for i, l := range e.Model.Mixtures {
			l.Observe(e.be, e.stats[i])
		}
	}
	out := Metrics{}
	for t := range e.tasks {
		if m := sums[t].metrics(&e.tasks[t]); m != nil {
			out[e.tasks[t].Name] = m
		}
	}
	if len(out) == 0 {
		return nil, errors.Errorf("eval: the %v split has no rows (data.domains.0.source.val_images holds some out)", split)
	}
	return out, nil
}

// useAverage swaps the parameters for their average, and back.
func (e *Engine) useAverage(on bool) {
	switch {
	case !e.ema.Ok():
		return
	case on:
		e.be.Copy(kernels.Copy{Dst: e.backup, Src: e.Set.Flat})
		e.be.Copy(kernels.Copy{Dst: e.Set.Flat, Src: e.ema})
	default:
		e.be.Copy(kernels.Copy{Dst: e.Set.Flat, Src: e.backup})
	}
	e.Set.Refresh(0, e.Set.Flat.Len())
}

// taskSums are the running sums behind the metrics of a task.
type taskSums struct {
	n       float64 // labels or values
	loss    float64
	correct float64
	squares float64 // of errors
	abs     float64 // of errors
	y, y2   float64 // of targets
}

// evaluateSegment adds the rows of a segment to the sums of its task.
func (e *Engine) evaluateSegment(h *autograd.Var, s *data.Segment, sums []taskSums) {
	logits, ok := e.Model.Head(e.tape, h, s.Task)
	if !ok || e.tape.Err() != nil {
		return
	}
	t, sum := &e.tasks[s.Task], &sums[s.Task]
	target := e.target(s)
	before := e.tape.Losses()
	t.loss.Record(e.tape, logits, target, 1)
	if e.tape.Err() != nil {
		return
	}
	sum.n += float64(countLabels(s))
	if t.classes {
		c := e.tape.NewShared(dtype.I32, 2)
		e.be.Fill(c, 0)
		e.be.Metrics(kernels.Metrics{X: logits.Value, Label: target, Correct: c})
		e.tape.Sync()
		sum.loss += e.tape.LossAt(before).Value.F64()[0]
		sum.correct += float64(c.I32()[0])
		return
	}
	out := tensor.New(dtype.F64, logits.Rows(), logits.Cols())
	e.be.Copy(kernels.Copy{Dst: out, Src: logits.Value})
	e.tape.Sync()
	sum.loss += e.tape.LossAt(before).Value.F64()[0]
	for i, x := range out.F64() {
		y := float64(s.Values[i])
		if y != y {
			continue
		}
		if (x > 0) == (y > 0.5) {
			sum.correct++
		}
		sum.squares += (x - y) * (x - y)
		sum.abs += math.Abs(x - y)
		sum.y += y
		sum.y2 += y * y
	}
}

// metrics are the values of a task, or nil without labels.
func (s *taskSums) metrics(t *task) map[string]float64 {
	if s.n == 0 {
		return nil
	}
	m := map[string]float64{"loss": s.loss / s.n}
	for _, name := range t.entry.Metrics {
		switch name {
		case "accuracy":
			m[name] = s.correct / s.n
		case "rmse":
			m[name] = math.Sqrt(s.squares / s.n)
		case "mae":
			m[name] = s.abs / s.n
		case "r2":
			m[name] = 1 - s.squares/math.Max(s.y2-s.y*s.y/s.n, 1e-300)
		}
	}
	return m
}

// RoutingStats returns what the mixtures did in the last evaluation, layer by layer.
func (e *Engine) RoutingStats() []*moe.Stats { return e.stats }

// Headline is the metric that stands for a task: accuracy, or rmse.
func (e *Engine) Headline(taskName string) string {
	for _, t := range e.tasks {
		if t.Name == taskName {
			return t.entry.Metrics[0]
		}
	}
	return "loss"
}

// TaskNames lists the tasks in order.
func (e *Engine) TaskNames() []string {
	var out []string
	for _, t := range e.tasks {
		out = append(out, t.Name)
	}
	return out
}
