package optim

import "math"

func init() {
	RegisterSchedule(ScheduleEntry{
		Name: "cosine", Ref: "Loshchilov & Hutter 2017 (arXiv 1608.03983), eq. 5, half a period and no restarts",
		Doc: "final + (1-final)*(1+cos(pi*x/n))/2", Golden: []string{"cosine_with_warmup", "cosine_with_min_lr"},
		Config: func() any { return &FinalConfig{} },
		New: func(cfg any, warmup, total int64) (Schedule, error) {
			c := cfg.(*FinalConfig)
			return falling(c.Final, warmup, total, halfCosine), within("final", c.Final, 0, 1)
		},
	})
}

func halfCosine(y float64) float64 { return (1 + math.Cos(math.Pi*y)) / 2 }
