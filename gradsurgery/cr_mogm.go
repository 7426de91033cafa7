package gradsurgery

import (
	"artel/config"

	"github.com/pkg/errors"
)

func init() {
	Register(Entry{
		Name: "cr_mogm", Ref: "Zhou et al. 2022, On the convergence of stochastic multi-objective gradient manipulation and beyond (CR-MOGM), NeurIPS 2022, algorithm 2",
		Doc: "l = alpha l + (1-alpha) f(G): the weights of another method, averaged over steps, so that one noisy batch does not turn them round; the first step takes f(G) as it is. " +
			"base is any method that turns one Gram matrix, or losses, into weights.",
		Golden: []string{"cr_mogm"},
		Traits: Traits{InRowSpan: true},
		Config: func() any {
			return &CRMOGMOptions{Alpha: 0.9, Base: config.With("mgda", &MGDAOptions{Normalize: "none"})}
		},
		New: func(cfg any, tasks, units int) (Method, error) {
			o := cfg.(*CRMOGMOptions)
			base, err := Build(&o.Base, tasks, units)
			if err := first(err, within("alpha", o.Alpha, 0, 0.9999)); err != nil {
				return nil, err
			}
			if n := base.Needs; n.Level == TaskGradients || n.Track || o.Base.Name == "cr_mogm" {
				return nil, errors.Errorf("base %q: want a method that turns inner products or losses into weights", o.Base.Name)
			}
			return &crMOGM{o.Alpha, tasks, base, make([]float64, units*tasks), newSteps(tasks, units)}, nil
		},
	})
}

// CRMOGMOptions are the options of "cr_mogm".
type CRMOGMOptions struct {
	Alpha float64       `yaml:"alpha" doc:"share of the old weights" range:"0..0.9999"`
	Base  config.Member `yaml:"base" doc:"the method whose weights are averaged"`
}

type crMOGM struct {
	alpha float64
	tasks int
	base  *Surgery
	l     []float64 // [units, tasks]
	steps *steps
}

func (p *crMOGM) Needs() Needs { return p.base.Needs }

func (p *crMOGM) Weights(in *Input, w []float64) error {
	if err := p.base.method.Weights(in, w); err != nil {
		return err
	}
	p.steps.count(in)
	for t, id := range in.Tasks {
		l := &p.l[in.Unit*p.tasks+id]
		if p.steps.of(in, id) == 1 {
			*l = w[t]
		}
		*l = p.alpha**l + (1-p.alpha)*w[t]
		w[t] = *l
	}
	return nil
}

// AfterStep hands the losses on.
func (p *crMOGM) AfterStep(tasks []int, losses []float64) error {
	return p.base.after.AfterStep(tasks, losses)
}

// State is the averaged weights, the steps, and the state of the base.
func (p *crMOGM) State() []Array {
	out := []Array{{"average", p.l}, p.steps.state()}
	for _, a := range p.base.state {
		out = append(out, Array{"base." + a.Name, a.Data})
	}
	return out
}
