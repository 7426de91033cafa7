package gradsurgery

import "math"

func init() {
	Register(Entry{
		Name: "nash_mtl", Ref: "Navon et al. 2022, Multi-task learning as a bargaining game, arXiv 2202.01017",
		Doc: "G w = 1/w, w > 0, by Newton on the equivalent convex problem min w^T G w / 2 - sum_t log w_t (public code iterates conic programs); |g|^2 = m whatever the scale.\n" +
			"max_norm > 0 shortens g to that length. Zero gradients get weight 0. w = 0 where a convex combination of the gradients is 0 to 1e-4 of their lengths and there is no solution.",
		Traits: Traits{NonConflicting: true, PermutationEquivariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"nash_mtl"},
		Config: func() any { return &NashOptions{} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*NashOptions)
			return newBargain(1, o.MaxNorm, tasks), within("max_norm", o.MaxNorm, 0, math.Inf(1))
		},
	})
}

// NashOptions are the options of "nash_mtl".
type NashOptions struct {
	MaxNorm float64 `yaml:"max_norm" doc:"longest update; 0 = as the equation gives it. public code uses 1" range:"0.."`
}
