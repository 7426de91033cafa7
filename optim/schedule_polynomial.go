package optim

import "math"

func init() {
	RegisterSchedule(ScheduleEntry{
		Name: "polynomial", Ref: "-", Doc: "final + (1-final)*(1-x/n)^power", Golden: []string{"polynomial"},
		Config: func() any { return &PolynomialConfig{Power: 2} },
		New: func(cfg any, warmup, total int64) (Schedule, error) {
			c := *cfg.(*PolynomialConfig)
			curve := func(y float64) float64 { return math.Pow(1-y, c.Power) }
			return falling(c.Final, warmup, total, curve), first(within("final", c.Final, 0, 1), positive("power", c.Power))
		},
	})
}

// PolynomialConfig holds the options of polynomial.
type PolynomialConfig struct {
	Final float64 `yaml:"final" doc:"factor of the learning rate at the end" range:"0..1"`
	Power float64 `yaml:"power" doc:"1 is a straight line" range:"0<.."`
}
