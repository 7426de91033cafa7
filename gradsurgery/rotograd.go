package gradsurgery

import "math"

func init() {
	Register(Entry{
		Name: "rotograd", Ref: "Javaloy & Valera 2022, RotoGrad: gradient homogenization in multitask learning, ICLR 2022, arXiv 2103.02631, algorithm 1 (lengths)",
		Doc: "w_t = c / |g_t|, c = sum_k a_k |g_k|, a_k proportional to |g_k| / |g_k(start)| with sum 1: all gradients get one length, nearer to those of tasks that learn slowly. " +
			"start is taken anew in every step of the burn-in. Meant for an activation (surgery.at), with a rotate block behind expand for directions. A zero gradient gets weight 0.",
		Traits: Traits{LinearUnderScaling: true, PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Config: func() any { return &RotoGradOptions{BurnIn: 20} },
		New: func(cfg any, tasks, units int) (Method, error) {
			o := cfg.(*RotoGradOptions)
			return &rotograd{*o, newSteps(tasks, units), make([]float64, units*tasks)}, within("burn_in", float64(o.BurnIn), 0, 1e9)
		},
	})
}

// RotoGradOptions are the options of "rotograd".
type RotoGradOptions struct {
	BurnIn int `yaml:"burn_in" doc:"steps of a task in which its start is taken anew" range:"0..1000000000"`
}

type rotograd struct {
	o     RotoGradOptions
	steps *steps
	start []float64 // [units, tasks] lengths of gradients
}

func (*rotograd) Needs() Needs { return Needs{Level: Gram, Batches: 1} }

func (p *rotograd) Weights(in *Input, w []float64) error {
	m := len(w)
	p.steps.count(in)
	var pace, sum float64
	for t, id := range in.Tasks {
		w[t] = math.Sqrt(in.Gram[t*m+t])
		start := &p.start[in.Unit*p.steps.tasks+id]
		if n := p.steps.of(in, id); n <= float64(p.o.BurnIn) || n == 1 || *start == 0 {
			*start = w[t]
		}
		if *start > 0 {
			pace += w[t] / *start
			sum += w[t] / *start * w[t]
		}
	}
	for t, l := range w {
		if w[t] = 0; l > 0 && pace > 0 {
			w[t] = sum / pace / l
		}
	}
	return nil
}

// State is the lengths at the start and the steps.
func (p *rotograd) State() []Array { return []Array{{"start", p.start}, p.steps.state()} }
