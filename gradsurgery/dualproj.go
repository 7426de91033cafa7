package gradsurgery

func init() {
	Register(Entry{
		Name: "dualproj", Ref: "Lopez-Paz & Ranzato 2017, Gradient episodic memory, arXiv 1706.08840, in the form of Quinton & Rey 2024, arXiv 2406.16232",
		Doc:    "w = argmin { v^T G v : v >= pref }: sum_t pref_t g_t is projected on the cone {d : J d >= 0}. Exact.",
		Traits: Traits{NonConflicting: true, PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"dualproj"},
		Config: func() any { return &ConeOptions{} },
		New:    func(cfg any, tasks, _ int) (Method, error) { return newCone(cfg.(*ConeOptions), tasks, false) },
	})
}
