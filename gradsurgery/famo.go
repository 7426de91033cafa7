package gradsurgery

import (
	"math"
	"slices"

	"github.com/pkg/errors"
)

func init() {
	Register(Entry{
		Name: "famo", Ref: "Liu et al. 2023, FAMO: fast adaptive multitask optimization, arXiv 2306.03792, algorithm 1",
		Doc: "z = softmax(xi) over the present tasks, D_t = L_t - min_loss_t + 1e-8, w_t = (z_t/D_t) / sum_k z_k/D_k: every log loss falls at a similar rate.\n" +
			"After the step, on the same batch: delta_t = log D_t(before) - log D_t(after), dxi_t = z_t (delta_t - sum_k z_k delta_k), Adam with decay in the gradient. " +
			"A loss below min_loss is an error.",
		Traits: Traits{PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"famo"},
		Config: func() any { return &FAMOOptions{LR: 0.025, Decay: 0.001} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*FAMOOptions)
			low, err := perTask("min_losses", o.MinLosses, 0, tasks, -math.MaxFloat64, math.MaxFloat64)
			if err != nil {
				return nil, err
			}
			xi, err := newLearner("adam", o.LR, o.Decay, 0, tasks)
			return &famo{xi: xi, low: low, ids: make([]int, 0, tasks), z: make([]float64, tasks), d: make([]float64, tasks), after: make([]float64, tasks)}, err
		},
	})
}

// FAMOOptions are the options of "famo".
type FAMOOptions struct {
	LR        float64   `yaml:"lr" doc:"learning rate of the task logits" range:"0<.."`
	Decay     float64   `yaml:"decay" doc:"decay of the logits, added to their gradient; the paper: 0.01 on CityScapes, 0.001 elsewhere" range:"0.."`
	MinLosses []float64 `yaml:"min_losses" doc:"lowest loss each task can reach, one per task; empty = 0 for every task"`
}

type famo struct {
	xi    *learner
	low   []float64 // [tasks]
	ids   []int     // tasks of the step in progress; empty between steps
	z     []float64 // [m] their softmax
	d     []float64 // [m] their losses over the minimum, before the step
	after []float64 // [m] and after it
}

func (f *famo) Needs() Needs {
	return Needs{Level: Losses, Batches: 1, AfterStep: true, Own: len(f.xi.x)}
}

func (f *famo) Weights(in *Input, w []float64) error {
	f.ids = f.ids[:0]
	if err := f.excess(f.d, in.Tasks, in.Losses); err != nil {
		return err
	}
	f.ids = append(f.ids, in.Tasks...)
	z := f.z[:len(w)]
	for t, id := range in.Tasks {
		z[t] = f.xi.x[id]
	}
	softmax(z)
	var sum float64
	for t := range w {
		w[t] = z[t] / f.d[t]
		sum += w[t]
	}
	for t := range w {
		w[t] /= sum
	}
	return nil
}

func (f *famo) AfterStep(tasks []int, losses []float64) error {
	if !slices.Equal(tasks, f.ids) {
		return errors.Errorf("losses of %d tasks that are not those of the step", len(tasks))
	}
	if err := f.excess(f.after, tasks, losses); err != nil {
		return err
	}
	z := f.z[:len(tasks)]
	var mean float64
	for t := range z {
		f.after[t] = math.Log(f.d[t]) - math.Log(f.after[t])
		mean += z[t] * f.after[t]
	}
	for t, id := range tasks {
		f.xi.step(id, z[t]*(f.after[t]-mean))
	}
	f.ids = f.ids[:0]
	return nil
}

// excess writes d = losses - minimum + 1e-8.
func (f *famo) excess(d []float64, tasks []int, losses []float64) error {
	for t, id := range tasks {
		if losses[t] < f.low[id] {
			return errors.Errorf("the loss of task %d is %v, under its min_losses %v", id, losses[t], f.low[id])
		}
		d[t] = losses[t] - f.low[id] + 1e-8
	}
	return nil
}

// State is the logits and the moments of their optimizer.
func (f *famo) State() []Array { return f.xi.state("logits") }
