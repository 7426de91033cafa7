package gradsurgery

import "github.com/pkg/errors"

func init() {
	Register(Entry{
		Name: "dwa", Ref: "Liu, Johns & Davison 2019, End-to-end multi-task learning with attention, arXiv 1803.10704",
		Doc: "w = m softmax(r / temperature), r_t = mean loss of the last window / mean loss of the one before; r_t = 1 until both exist.\n" +
			"A window is a number of steps (an epoch in the paper). Mean losses must be positive.",
		Traits: Traits{LinearUnderScaling: true, PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"dwa"},
		Config: func() any { return &DWAOptions{Temperature: 2, Window: 100} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*DWAOptions)
			if err := positive("temperature", o.Temperature); err != nil {
				return nil, err
			}
			if o.Window < 1 {
				return nil, errors.Errorf("window is %d, want at least 1", o.Window)
			}
			return &dwa{o: *o, sum: make([]float64, tasks), count: make([]float64, tasks), last: make([]float64, tasks),
				before: make([]float64, tasks), steps: make([]float64, 1)}, nil
		},
	})
}

// DWAOptions are the options of "dwa".
type DWAOptions struct {
	Temperature float64 `yaml:"temperature" doc:"large = nearly equal weights" range:"0<.."`
	Window      int     `yaml:"window" doc:"steps whose losses are averaged" range:"1.."`
}

type dwa struct {
	o                        DWAOptions
	sum, count, last, before []float64 // [tasks] of the window in progress; means of the two before it, 0 = none yet
	steps                    []float64 // [1] steps in the window in progress
}

func (*dwa) Needs() Needs { return Needs{Level: Losses, Batches: 1} }

func (d *dwa) Weights(in *Input, w []float64) error {
	if err := positiveLosses(in); err != nil {
		return err
	}
	for t, id := range in.Tasks {
		r := 1.0
		if d.before[id] > 0 {
			r = d.last[id] / d.before[id]
		}
		w[t] = r / d.o.Temperature
		d.sum[id] += in.Losses[t]
		d.count[id]++
	}
	softmax(w)
	for t := range w {
		w[t] *= float64(len(w))
	}
	if d.steps[0]++; int(d.steps[0]) == d.o.Window {
		for id, n := range d.count {
			if n > 0 { // a task that was absent throughout keeps its means
				d.before[id], d.last[id] = d.last[id], d.sum[id]/n
			}
			d.sum[id], d.count[id] = 0, 0
		}
		d.steps[0] = 0
	}
	return nil
}

// State is the means and the window in progress.
func (d *dwa) State() []Array {
	return []Array{{"sum", d.sum}, {"count", d.count}, {"last", d.last}, {"before", d.before}, {"steps", d.steps}}
}
