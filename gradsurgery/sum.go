package gradsurgery

func init() {
	Register(equalWeights("sum"))
	Register(equalWeights("equal"))
}

func equalWeights(name string) Entry {
	return Entry{
		Name: name, Ref: "plain multi-task learning",
		Doc:    "w_t = 1",
		Traits: Traits{LinearUnderScaling: true, PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"sum"},
		Config: func() any { return &SumOptions{} },
		New:    func(any, int, int) (Method, error) { return sum{}, nil },
	}
}

// SumOptions are the options of "sum" and "equal": none.
type SumOptions struct{}

type sum struct{}

func (sum) Needs() Needs { return Needs{Level: Losses, Batches: 1, Constant: true, Blind: true} }

func (sum) Weights(in *Input, w []float64) error {
	for t := range w {
		w[t] = 1
	}
	return nil
}
