package optim

func init() {
	RegisterSchedule(ScheduleEntry{
		Name: "linear", Ref: "-", Doc: "final + (1-final)*(1-x/n)", Golden: []string{"linear_with_warmup"},
		Config: func() any { return &FinalConfig{} },
		New: func(cfg any, warmup, total int64) (Schedule, error) {
			c := cfg.(*FinalConfig)
			return falling(c.Final, warmup, total, func(y float64) float64 { return 1 - y }), within("final", c.Final, 0, 1)
		},
	})
}
