package gradsurgery

func init() {
	Register(Entry{
		Name: "rlw", Ref: "Lin et al. 2022, Reasonable effectiveness of random weighting, arXiv 2111.10603",
		Doc:    "w = softmax of one standard normal number per present task and step. A task's number does not depend on who else is present.",
		Traits: Traits{ScaleInvariant: true, LinearUnderScaling: true, InRowSpan: true, NonNegative: true, Stationary: true},
		Golden: []string{"rlw"},
		Config: func() any { return &RLWOptions{} },
		New:    func(any, int, int) (Method, error) { return rlw{}, nil },
	})
}

// RLWOptions are the options of "rlw": none.
type RLWOptions struct{}

type rlw struct{}

func (rlw) Needs() Needs { return Needs{Level: Losses, Batches: 1, Blind: true} }

func (rlw) Weights(in *Input, w []float64) error {
	for t, id := range in.Tasks {
		s := in.RNG.Sub("row", uint64(id))
		w[t] = s.Normal()
	}
	softmax(w)
	return nil
}
