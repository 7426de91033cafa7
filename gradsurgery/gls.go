package gradsurgery

func init() {
	Register(Entry{
		Name: "gls", Ref: "Chennupati et al. 2019, MultiNet++: geometric loss strategy, arXiv 1904.08492",
		Doc:    "loss = (prod_t L_t)^(1/m), so w_t = loss / (m L_t). Losses must be positive.",
		Traits: Traits{PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"gls"},
		Config: func() any { return &GLSOptions{} },
		New:    func(any, int, int) (Method, error) { return logs{geometric: true}, nil },
	})
}

// GLSOptions are the options of "gls": none.
type GLSOptions struct{}
