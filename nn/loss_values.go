package nn

import (
	"artel/autograd"
	"artel/tensor"
)

func init() {
	RegisterLoss(LossEntry{
		Name: "bce", Metrics: []string{"accuracy"},
		Ref:    "binary cross-entropy on logits",
		Doc:    "-(y log sigmoid(x) + (1-y) log(1-sigmoid(x))), summed over outputs; a NaN target is ignored",
		Config: func() any { return &struct{}{} },
		New:    func(any) (Loss, error) { return bce{}, nil },
	})
	RegisterLoss(LossEntry{
		Name: "mse", Metrics: []string{"rmse", "mae", "r2"},
		Ref:    "squared error",
		Doc:    "(x-y)^2, summed over outputs; a NaN target is ignored",
		Config: func() any { return &struct{}{} },
		New:    func(any) (Loss, error) { return regression{}, nil },
	})
	RegisterLoss(LossEntry{
		Name: "huber", Metrics: []string{"rmse", "mae", "r2"},
		Ref:    "Huber 1964",
		Doc:    "r^2/2 for |r| <= delta, delta(|r| - delta/2) beyond, r = x-y, summed over outputs; a NaN target is ignored",
		Config: func() any { return &HuberConfig{Delta: 1} },
		New:    func(cfg any) (Loss, error) { return regression{cfg.(*HuberConfig).Delta}, nil },
	})
}

// HuberConfig holds the options of huber.
type HuberConfig struct {
	Delta float64 `yaml:"delta" doc:"where the loss turns from quadratic to linear" range:"0<.."`
}

type bce struct{}

func (bce) Record(t *autograd.Tape, x *autograd.Var, target tensor.Tensor, scale float64) {
	autograd.BCE(t, x, target, scale)
}

// regression is squared error for delta 0, the Huber loss otherwise.
type regression struct{ delta float64 }

func (l regression) Record(t *autograd.Tape, x *autograd.Var, target tensor.Tensor, scale float64) {
	autograd.Regression(t, x, target, scale, l.delta)
}
