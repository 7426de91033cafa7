package gradsurgery

func init() {
	Register(Entry{
		Name: "fairgrad", Ref: "Ban & Ji 2024, Fair resource allocation in multi-task learning, arXiv 2402.15638",
		Doc:    "G w = w^(-1/alpha), w > 0: alpha-fair shares of <g_t, g>; alpha 1 is nash_mtl, larger alpha lifts the worst task more. Newton, as nash_mtl, with the same corner cases.",
		Traits: Traits{NonConflicting: true, PermutationEquivariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"fairgrad"},
		Config: func() any { return &FairGradOptions{Alpha: 2} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*FairGradOptions)
			return newBargain(o.Alpha, tasks), within("alpha", o.Alpha, 0.05, 100)
		},
	})
}

// FairGradOptions are the options of "fairgrad".
type FairGradOptions struct {
	Alpha float64 `yaml:"alpha" doc:"0.05..100; the paper's scripts use 2" range:"0.05..100"`
}
