package optim

import (
	"math"

	"github.com/pkg/errors"
)

func init() {
	RegisterSchedule(ScheduleEntry{
		Name: "wsd", Ref: "warm-up, stable, decay: Hu et al. 2024 (arXiv 2404.06395), eq. 1; decay 1-sqrt: Hägele et al. 2024 (arXiv 2405.18392)",
		Doc:    "1 until the last d steps, then final + (1-final)*f(y), y = (x-(n-d))/d: f = 1-y (linear), (1+cos(pi*y))/2 (cosine) or 1-sqrt(y) (1-sqrt)",
		Golden: []string{"wsd"},
		Config: func() any { return &WSDConfig{Decay: 0.2, Form: "1-sqrt"} },
		New:    func(cfg any, warmup, total int64) (Schedule, error) { return newWSD(*cfg.(*WSDConfig), warmup, total) },
	})
}

// WSDConfig holds the options of wsd.
type WSDConfig struct {
	Decay float64 `yaml:"decay" doc:"steps of the decay; under 1: share of all steps" range:"0<.."`
	Final float64 `yaml:"final" doc:"factor of the learning rate at the end" range:"0..1"`
	Form  string  `yaml:"form" doc:"shape of the decay" oneof:"linear cosine 1-sqrt"`
}

func newWSD(c WSDConfig, warmup, total int64) (Schedule, error) {
	if err := first(within("final", c.Final, 0, 1), oneOf("form", c.Form, "linear", "cosine", "1-sqrt"), positive("decay", c.Decay)); err != nil {
		return nil, err
	}
	decay, err := stepCount("decay", c.Decay, total)
	if err != nil {
		return nil, err
	}
	if warmup+decay > total {
		return nil, errors.Errorf("a warm-up of %d steps and a decay of %d do not fit into %d", warmup, decay, total)
	}
	curve := halfCosine
	switch c.Form {
	case "linear":
		curve = func(y float64) float64 { return 1 - y }
	case "1-sqrt":
		curve = func(y float64) float64 { return 1 - math.Sqrt(y) }
	}
	fall := falling(c.Final, total-decay, total, curve)
	return func(step int64) float64 {
		if step < total-decay {
			return 1
		}
		return fall(step)
	}, nil
}
