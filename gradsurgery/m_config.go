package gradsurgery

import (
	"math"

	"github.com/pkg/errors"
)

func init() {
	Register(Entry{
		Name: "m_config", Ref: "Liu et al. 2025, ConFIG, ICLR 2025, arXiv 2408.11104, algorithm 1 (M-ConFIG)",
		Doc: "y_t = beta y_t + (1-beta) g_t; config of the momenta y_t / (1 - beta^n), n steps of the task so far. " +
			"The paper's second moment is the optimizer's. With rotate one task per step, in turn, gets its gradient into its momentum, as where only one loss is differentiated per step.",
		Traits: Traits{LinearUnderScaling: true, PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, Deterministic: true},
		Config: func() any { return &MConFIGOptions{Beta: 0.9} },
		New: func(cfg any, tasks, units int) (Method, error) {
			o := cfg.(*MConFIGOptions)
			inner := &conFIG{newCosines(tasks), nil, make([]float64, tasks)}
			return &mConFIG{*o, inner, newSteps(tasks, units), make([]float64, tasks*tasks), make([]float64, tasks)}, within("beta", o.Beta, 0, 0.9999)
		},
	})
}

// MConFIGOptions are the options of "m_config".
type MConFIGOptions struct {
	Beta   float64 `yaml:"beta" doc:"share of the old momentum" range:"0..0.9999"`
	Rotate bool    `yaml:"rotate" doc:"renew the momentum of one task per step, in turn"`
}

type mConFIG struct {
	o     MConFIGOptions
	inner *conFIG
	steps *steps
	g     []float64 // [m,m] Gram matrix of the corrected momenta
	c     []float64 // [m] 1 - beta^n
}

func (*mConFIG) Needs() Needs { return Needs{Level: Gram, Batches: 1, Track: true} }

// Track moves the momenta.
func (p *mConFIG) Track(in *Input, keep, take []float64) error {
	turn := int(in.Step % int64(len(in.Tasks)))
	for t, id := range in.Tasks {
		n := &p.steps.n[in.Unit*p.steps.tasks+id]
		if p.o.Rotate && t != turn && *n > 0 { // a task without a momentum yet may always start one
			keep[t], take[t] = 1, 0
			continue
		}
		*n++
		keep[t], take[t] = p.o.Beta, 1-p.o.Beta
	}
	return nil
}

func (p *mConFIG) Weights(in *Input, w []float64) error {
	m := len(w)
	c, g := p.c[:m], p.g[:m*m]
	for t, id := range in.Tasks {
		if c[t] = 1 - math.Pow(p.o.Beta, p.steps.of(in, id)); c[t] <= 0 {
			return errors.Errorf("task %d has no momentum: Track was not called", id)
		}
	}
	for i := range g {
		g[i] = in.Gram[i] / c[i/m] / c[i%m]
	}
	corrected := *in
	corrected.Gram = g
	if err := p.inner.Weights(&corrected, w); err != nil {
		return err
	}
	for t := range w {
		w[t] /= c[t]
	}
	return nil
}

// State is the steps of every task.
func (p *mConFIG) State() []Array { return []Array{p.steps.state()} }
