package gradsurgery

import "github.com/pkg/errors"

func init() {
	Register(Entry{
		Name: "graddrop", Ref: "Chen et al. 2020, Just pick a sign: gradient sign dropout, arXiv 2010.06808, algorithm 1",
		Doc: "per coordinate: q = (1 + sum_t g_t / sum_t |g_t|) / 2, u uniform: entries > 0 pass where q > u, entries < 0 where q < u;\n" +
			"update = sum_t (leak_t + (1-leak_t) pass_t) g_t. On parameters, not on a shared representation as in the paper's experiments. " +
			"Leak 1 is the sum. The random numbers belong to coordinates, not to tasks.",
		Traits: Traits{PermutationEquivariant: true, ScaleInvariant: true, Stationary: true},
		Golden: []string{"graddrop"},
		Config: func() any { return &GradDropOptions{} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*GradDropOptions)
			if err := within("leak", o.Leak, 0, 1); err != nil {
				return nil, err
			}
			leak, err := perTask("task_leak", o.TaskLeak, o.Leak, tasks, 0, 1)
			return graddrop(leak), err
		},
	})
}

// GradDropOptions are the options of "graddrop".
type GradDropOptions struct {
	Leak     float64   `yaml:"leak" doc:"share 0..1 of every task gradient that always passes" range:"0..1"`
	TaskLeak []float64 `yaml:"task_leak" doc:"leak per task, one number per task; empty = leak for every task"`
}

type graddrop []float64

func (graddrop) Needs() Needs { return Needs{Level: TaskGradients, Batches: 1} }

func (graddrop) Weights(*Input, []float64) error {
	return errors.New("has no weights: it works on every coordinate (use Columns)")
}

// Columns draws the key of the step and unit.
func (g graddrop) Columns(in *Input, c *Column) error {
	for t, id := range in.Tasks {
		c.Leak[t] = g[id]
	}
	s := in.RNG.Sub("graddrop")
	c.Kernel, c.Key, c.Hi = GradDropColumns, s.Key, s.Hi
	return nil
}
