package gradsurgery

import (
	"math"

	"artel/internal/linalg"
)

func init() {
	Register(Entry{
		Name: "nash_mtl", Ref: "Navon et al. 2022, Multi-task learning as a bargaining game, arXiv 2202.01017",
		Doc: "G w = 1/w, w > 0, by Newton on the equivalent convex problem min w^T G w / 2 - sum_t log w_t (public code iterates conic programs); |g|^2 = m whatever the scale.\n" +
			"max_norm > 0 shortens g to that length. every > 1 solves in every so many steps of a unit and uses the weights again in between. Zero gradients get weight 0. w = 0 where a convex combination of the gradients is 0 to 1e-4 of their lengths and there is no solution.",
		Traits: Traits{NonConflicting: true, PermutationEquivariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"nash_mtl"},
		Config: func() any { return &NashOptions{Every: 1} },
		New: func(cfg any, tasks, units int) (Method, error) {
			o := cfg.(*NashOptions)
			p := &nash{bargain: newBargain(1, tasks), o: *o, tasks: tasks}
			if o.Every > 1 {
				p.held, p.age = make([]float64, units*tasks), make([]float64, units)
				for i := range p.held {
					p.held[i] = -1
				}
			}
			return p, first(within("max_norm", o.MaxNorm, 0, math.Inf(1)), within("every", float64(o.Every), 0, 1e9))
		},
	})
}

// NashOptions are the options of "nash_mtl".
type NashOptions struct {
	MaxNorm float64 `yaml:"max_norm" doc:"longest update; 0 = as the equation gives it. public code uses 1" range:"0.."`
	Every   int     `yaml:"every" doc:"steps from one solution to the next; 0 or 1: solve in every step" range:"0..1000000000"`
}

type nash struct {
	*bargain
	o     NashOptions
	tasks int
	held  []float64 // [units, tasks] the last solution, -1 where there is none yet
	age   []float64 // [units] steps since then
}

func (p *nash) Weights(in *Input, w []float64) error {
	if !p.reuse(in, w) {
		if err := p.bargain.Weights(in, w); err != nil {
			return err
		}
		p.hold(in, w)
	}
	if norm := math.Sqrt(linalg.Quad(in.Gram, w)); p.o.MaxNorm > 0 && norm > p.o.MaxNorm {
		for t := range w {
			w[t] *= p.o.MaxNorm / norm
		}
	}
	return nil
}

// reuse writes the held weights, unless they are too old or lack a task.
func (p *nash) reuse(in *Input, w []float64) bool {
	if p.held == nil || int(p.age[in.Unit])%p.o.Every == 0 {
		return false
	}
	for t, id := range in.Tasks {
		if w[t] = p.held[in.Unit*p.tasks+id]; w[t] < 0 {
			return false
		}
	}
	p.age[in.Unit]++
	return true
}

func (p *nash) hold(in *Input, w []float64) {
	if p.held == nil {
		return
	}
	p.age[in.Unit] = 1
	for t, id := range in.Tasks {
		p.held[in.Unit*p.tasks+id] = w[t]
	}
}

// State is the held weights; none where they are not used again.
func (p *nash) State() []Array {
	if p.held == nil {
		return nil
	}
	return []Array{{"weights", p.held}, {"age", p.age}}
}
