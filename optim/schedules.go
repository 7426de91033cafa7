package optim

import "math"

func init() {
	RegisterSchedule(ScheduleEntry{
		Name: "constant", Ref: "-", Doc: "1", Config: func() any { return &struct{}{} },
		New: func(any) Schedule { return constant{} },
	})
	RegisterSchedule(ScheduleEntry{
		Name: "linear", Ref: "-", Doc: "from 1 down to `final` in a straight line", Config: func() any { return &FinalConfig{} },
		New: func(cfg any) Schedule { return linear{cfg.(*FinalConfig).Final} },
	})
	RegisterSchedule(ScheduleEntry{
		Name: "cosine", Ref: "Loshchilov & Hutter 2017 (arXiv 1608.03983), one half period", Doc: "final + (1-final)*(1+cos(pi*x/n))/2",
		Config: func() any { return &FinalConfig{} },
		New:    func(cfg any) Schedule { return cosine{cfg.(*FinalConfig).Final} },
	})
	RegisterSchedule(ScheduleEntry{
		Name: "wsd", Ref: "warm-up, stable, decay: Hu et al. 2024 (arXiv 2404.06395); decay forms as in transformers",
		Doc:    "1, then over the last `decay` share (or number) of steps down to `final`",
		Config: func() any { return &WSDConfig{Decay: 0.2, Form: "linear"} },
		New:    func(cfg any) Schedule { return wsd{*cfg.(*WSDConfig)} },
	})
	RegisterSchedule(ScheduleEntry{
		Name: "inverse_sqrt", Ref: "Vaswani et al. 2017 (arXiv 1706.03762), eq. 3, scaled to 1 at the end of warm-up",
		Doc: "1/sqrt((x+timescale)/timescale); timescale 0 means the warm-up steps", Config: func() any { return &InverseSqrtConfig{} },
		New: func(cfg any) Schedule { return inverseSqrt{cfg.(*InverseSqrtConfig).Timescale} },
	})
}

// FinalConfig holds the options of linear and cosine.
type FinalConfig struct {
	Final float64 `yaml:"final" doc:"factor at the end" range:"0..1"`
}

// WSDConfig holds the options of wsd.
type WSDConfig struct {
	Decay float64 `yaml:"decay" doc:"steps of the decay; under 1: share of all steps" range:"0<.."`
	Final float64 `yaml:"final" doc:"factor at the end" range:"0..1"`
	Form  string  `yaml:"form" doc:"shape of the decay" oneof:"linear cosine 1-sqrt"`
}

// InverseSqrtConfig holds the options of inverse_sqrt.
type InverseSqrtConfig struct {
	Timescale float64 `yaml:"timescale" doc:"steps until the rate has fallen to 1/sqrt(2); 0: the warm-up steps" range:"0.."`
}

type constant struct{}

func (constant) Factor(_, _, _ float64) float64 { return 1 }

type linear struct{ final float64 }

func (s linear) Factor(x, n, _ float64) float64 {
	return s.final + (1-s.final)*math.Max(0, 1-x/n)
}

type cosine struct{ final float64 }

func (s cosine) Factor(x, n, _ float64) float64 {
	return s.final + (1-s.final)*math.Max(0, (1+math.Cos(math.Pi*math.Min(1, x/n)))/2)
}

type wsd struct{ WSDConfig }

func (s wsd) Factor(x, n, warmup float64) float64 {
	decay := s.Decay
	if decay < 1 {
		decay = math.Floor(decay * (n + warmup))
	}
	y := (x - (n - decay)) / math.Max(1, decay)
	if y < 0 {
		return 1
	}
	if y >= 1 {
		return s.Final
	}
	f := 1 - y
	switch s.Form {
	case "cosine":
		f = (1 + math.Cos(math.Pi*y)) / 2
	case "1-sqrt":
		f = 1 - math.Sqrt(y)
	}
	return s.Final + (1-s.Final)*f
}

type inverseSqrt struct{ timescale float64 }

func (s inverseSqrt) Factor(x, _, warmup float64) float64 {
	t := s.timescale
	if t == 0 {
		t = math.Max(1, warmup)
	}
	// The rate counts from the first step: at the end of warm-up t' = t, and the factor is 1 there.
	return 1 / math.Sqrt((x+t)/t)
}
