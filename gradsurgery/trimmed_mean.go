package gradsurgery

import "github.com/pkg/errors"

func init() {
	Register(Entry{
		Name: "trimmed_mean", Ref: "Yin et al. 2018, Byzantine-robust distributed learning, arXiv 1803.01498, definition 2",
		Doc:    "per coordinate: the mean over tasks without the trim largest and the trim smallest values; with m < 2 trim + 1 present tasks as many as leave one or two.",
		Traits: Traits{PermutationEquivariant: true, ScaleInvariant: true, Deterministic: true},
		Golden: []string{"trimmed_mean"},
		Config: func() any { return &TrimmedMeanOptions{Trim: 1} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			trim := cfg.(*TrimmedMeanOptions).Trim
			return trimmedMean(trim), within("trim", float64(trim), 0, MaxTasks)
		},
	})
}

// TrimmedMeanOptions are the options of "trimmed_mean".
type TrimmedMeanOptions struct {
	Trim int `yaml:"trim" doc:"values cut at each end of every coordinate" range:"0..64"`
}

type trimmedMean int

func (trimmedMean) Needs() Needs { return Needs{Level: TaskGradients, Batches: 1} }

func (trimmedMean) Weights(*Input, []float64) error {
	return errors.New("has no weights: it works on every coordinate (use Columns)")
}

// Columns passes the option on.
func (k trimmedMean) Columns(_ *Input, c *Column) error {
	c.Kernel, c.Trim = TrimmedMeanColumns, int(k)
	return nil
}
