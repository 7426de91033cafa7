package gradsurgery

func init() {
	Register(Entry{
		Name: "si", Ref: "scale-invariant baseline of Navon et al. 2022, arXiv 2202.01017",
		Doc:    "loss = sum_t log L_t, so w_t = 1/L_t. Losses must be positive.",
		Traits: Traits{PermutationEquivariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Config: func() any { return &SIOptions{} },
		New:    func(any, int, int) (Method, error) { return logs{}, nil },
	})
}

// SIOptions are the options of "si": none.
type SIOptions struct{}
