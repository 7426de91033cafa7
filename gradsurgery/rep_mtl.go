package gradsurgery

import (
	"artel/config"

	"github.com/pkg/errors"
)

func init() {
	Register(Entry{
		Name: "rep_mtl", Ref: "Wang et al. 2025, Rep-MTL, arXiv 2507.21049, sections 3.2 and 3.3",
		Doc: "two losses on the task gradients S_t = dL_t/dZ at a shared activation Z (surgery.at): entropy * mean over rows of the entropy of the shares |mean_d S_t| of the tasks, so that rows keep to " +
			"a task; and align * mean over rows and tasks of -log softmax(cos^2(S_t[i], mean_t S_t[j]) / temperature)[j = i] over the rows j of a window, so that tasks agree on a row. Their " +
			"gradients need second derivatives, which come from the difference of two plain passes with Z shifted to both sides. base combines the task gradients at Z, by default with weights 1.",
		Traits: Traits{PermutationEquivariant: true, ScaleInvariant: true, LinearUnderScaling: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Config: func() any {
			return &RepMTLOptions{Entropy: 0.9, Align: 0.9, Temperature: 0.5, Floor: 0.01, Window: 64, Step: 0.01, Base: config.With("sum", &SumOptions{})}
		},
		New: func(cfg any, tasks, units int) (Method, error) {
			o := cfg.(*RepMTLOptions)
			base, err := Build(&o.Base, tasks, units)
			if err := first(err, within("entropy", o.Entropy, 0, 1e6), within("align", o.Align, 0, 1e6), positive("temperature", o.Temperature), within("floor", o.Floor, 1e-9, 1),
				within("window", float64(o.Window), 1, 4096), within("step", o.Step, 1e-9, 1)); err != nil {
				return nil, err
			}
			if n := base.Needs; n.Level == TaskGradients || n.Batches > 1 || n.Track || n.Squares || n.AfterStep || n.Saliency != nil {
				return nil, errors.Errorf("base %q: want a method that turns one Gram matrix, or losses, into weights", o.Base.Name)
			}
			return &repMTL{*o, base}, nil
		},
	})
}

// RepMTLOptions are the options of "rep_mtl".
type RepMTLOptions struct {
	Entropy     float64       `yaml:"entropy" doc:"weight of the entropy of the tasks' shares in a row" range:"0.."`
	Align       float64       `yaml:"align" doc:"weight of the contrast between rows" range:"0.."`
	Temperature float64       `yaml:"temperature" doc:"divisor of squared cosines in the contrast" range:"0<.."`
	Floor       float64       `yaml:"floor" doc:"least share of a task, so that logarithms stay finite" range:"0<..1"`
	Window      int           `yaml:"window" doc:"rows that a row is told from" range:"1..4096"`
	Step        float64       `yaml:"step" doc:"shift of the activation for second derivatives, relative to its size" range:"0<..1"`
	Base        config.Member `yaml:"base" doc:"how task gradients at the activation become one"`
}

type repMTL struct {
	o    RepMTLOptions
	base *Surgery
}

func (p *repMTL) Needs() Needs {
	n := p.base.Needs
	n.Level, n.Constant = Gram, false
	n.Saliency = &Saliency{Entropy: p.o.Entropy, Align: p.o.Align, Temperature: p.o.Temperature, Floor: p.o.Floor, Step: p.o.Step, Window: p.o.Window}
	return n
}

func (p *repMTL) Weights(in *Input, w []float64) error { return p.base.method.Weights(in, w) }

// State is the state of the base.
func (p *repMTL) State() []Array { return p.base.state }
