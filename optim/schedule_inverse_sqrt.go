package optim

import "math"

func init() {
	RegisterSchedule(ScheduleEntry{
		Name: "inverse_sqrt", Ref: "Vaswani et al. 2017 (arXiv 1706.03762), eq. 3, scaled to 1 at the end of the warm-up",
		Doc: "1/sqrt(1 + x/timescale)", Golden: []string{"inverse_sqrt"},
		Config: func() any { return &InverseSqrtConfig{} },
		New: func(cfg any, warmup, _ int64) (Schedule, error) {
			c := *cfg.(*InverseSqrtConfig)
			if c.Timescale == 0 {
				c.Timescale = float64(warmup)
			}
			if c.Timescale == 0 {
				c.Timescale = 10000
			}
			return func(step int64) float64 {
				return 1 / math.Sqrt(1+float64(step-warmup)/c.Timescale)
			}, atLeast0("timescale", c.Timescale)
		},
	})
}

// InverseSqrtConfig holds the options of inverse_sqrt.
type InverseSqrtConfig struct {
	Timescale float64 `yaml:"timescale" doc:"the rate falls to 1/sqrt(2) in so many steps; 0: the warm-up steps, or 10000 without warm-up" range:"0.."`
}
