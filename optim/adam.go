package optim

import "artel/kernels"

func init() {
	doc := "m = b1*m + (1-b1)*g; v = b2*v + (1-b2)*g^2; p -= lr/(1-b1^t) * m / (sqrt(v/(1-b2^t)) + eps)"
	Register(Entry{
		Name: "adam", Ref: "Kingma & Ba 2015 (arXiv 1412.6980), algorithm 1", Doc: "g += decay*p; " + doc,
		Config: newAdamConfig, New: func(cfg any) (Rule, error) { return adam{*cfg.(*AdamConfig), false}, nil },
	})
	Register(Entry{
		Name: "adamw", Ref: "Loshchilov & Hutter 2019 (arXiv 1711.05101), algorithm 2", Doc: "p *= 1 - lr*decay; " + doc,
		Config: newAdamConfig, New: func(cfg any) (Rule, error) { return adam{*cfg.(*AdamConfig), true}, nil },
	})
}

// AdamConfig holds the options of adam and adamw.
type AdamConfig struct {
	Beta1 float64 `yaml:"beta1" doc:"decay of the mean of gradients" range:"0..<1"`
	Beta2 float64 `yaml:"beta2" doc:"decay of the mean of squared gradients" range:"0..<1"`
	Eps   float64 `yaml:"eps" doc:"added to the root" range:"0<..1"`
}

func newAdamConfig() any { return &AdamConfig{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8} }

type adam struct {
	AdamConfig
	decoupled bool
}

func (a adam) Slots() []string { return []string{"m", "v"} }

func (a adam) Update(b *kernels.Backend, r *Run) error {
	b.Adam(kernels.Adam{
		P: r.P, G: r.G, M: r.Slots[0], V: r.Slots[1], LR: r.LR, Beta1: a.Beta1, Beta2: a.Beta2, Eps: a.Eps,
		Decay: r.Decay, Scale: r.Scale, Step: r.Step, Decoupled: a.decoupled,
	})
	return nil
}
