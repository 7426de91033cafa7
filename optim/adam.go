package optim

import "artel/kernels"

const adamDoc = "m = b1*m + (1-b1)*g; v = b2*v + (1-b2)*g^2; p -= lr/(1-b1^t) * m / (sqrt(v/(1-b2^t)) + eps)"

func init() {
	Register(Entry{
		Name: "adam", Ref: "Kingma & Ba 2015 (arXiv 1412.6980), algorithm 1; order of torch.optim.Adam", Doc: "g += decay*p; " + adamDoc,
		Ops: []string{"Adam"}, Golden: []string{"adam"},
		Config: newAdamConfig, New: func(cfg any) (Rule, error) { return newAdam(cfg, false) },
	})
}

// AdamConfig holds the options of adam and adamw.
type AdamConfig struct {
	Beta1 float64 `yaml:"beta1" doc:"decay of the mean of gradients" range:"0..<1"`
	Beta2 float64 `yaml:"beta2" doc:"decay of the mean of squared gradients" range:"0..<1"`
	Eps   float64 `yaml:"eps" doc:"added to the root" range:"0<..1"`
}

func newAdamConfig() any { return &AdamConfig{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8} }

func (c *AdamConfig) check() error {
	return first(below("beta1", c.Beta1), below("beta2", c.Beta2), positive("eps", c.Eps))
}

// adam is Adam, or AdamW when decoupled.
type adam struct {
	AdamConfig
	decoupled bool
}

func newAdam(cfg any, decoupled bool) (Rule, error) {
	c := cfg.(*AdamConfig)
	return adam{*c, decoupled}, c.check()
}

func (a adam) Slots() []string { return []string{"m", "v"} }

func (a adam) Update(b *kernels.Backend, r *Run) error {
	b.Adam(kernels.Adam{
		P: r.P, G: r.G, M: r.Slots[0], V: r.Slots[1], LR: r.LR, Beta1: a.Beta1, Beta2: a.Beta2, Eps: a.Eps,
		Decay: r.Decay, Scale: 1, By: r.Scale, Step: r.Step, Decoupled: a.decoupled,
	})
	return nil
}
