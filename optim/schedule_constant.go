package optim

func init() {
	RegisterSchedule(ScheduleEntry{
		Name: "constant", Ref: "-", Doc: "1", Golden: []string{"constant_with_warmup"},
		Config: func() any { return &struct{}{} },
		New: func(any, int64, int64) (Schedule, error) {
			return func(int64) float64 { return 1 }, nil
		},
	})
}
