package gradsurgery

func init() {
	Register(Entry{
		Name: "upgrad", Ref: "Quinton & Rey 2024, Jacobian descent for multi-objective optimization, arXiv 2406.16232 (UPGrad)",
		Doc: "w = sum_t argmin { v^T G v : v >= pref_t e_t }: every pref_t g_t is projected on the cone {d : J d >= 0}, then they are summed. Exact, without the trace " +
			"normalisation, threshold and regularisation of TorchJD, so it does not depend on the scale of the gradients.",
		Traits: Traits{NonConflicting: true, LinearUnderScaling: true, PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"upgrad"},
		Config: func() any { return &ConeOptions{} },
		New:    func(cfg any, tasks, _ int) (Method, error) { return newCone(cfg.(*ConeOptions), tasks, true) },
	})
}
