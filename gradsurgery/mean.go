package gradsurgery

func init() {
	Register(Entry{
		Name: "mean", Ref: "plain multi-task learning",
		Doc:    "w_t = 1/m, m = number of present tasks",
		Traits: Traits{LinearUnderScaling: true, PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"mean"},
		Config: func() any { return &MeanOptions{} },
		New:    func(any, int, int) (Method, error) { return mean{}, nil },
	})
}

// MeanOptions are the options of "mean": none.
type MeanOptions struct{}

type mean struct{}

func (mean) Needs() Needs { return Needs{Level: Losses, Batches: 1, Constant: true, Blind: true} }

func (mean) Weights(in *Input, w []float64) error {
	for t := range w {
		w[t] = 1 / float64(len(w))
	}
	return nil
}
