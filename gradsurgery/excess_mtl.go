package gradsurgery

import "math"

func init() {
	Register(Entry{
		Name: "excess_mtl", Ref: "He et al. 2024, Robust multi-task learning with excess risks (ExcessMTL), ICML 2024, arXiv 2402.02009, algorithm 1",
		Doc: "e_t = sum_p g_t[p]^2 / sqrt(S_t[p] + 1e-7), S_t the sum of squared gradients so far: an estimate of what task t still has to learn. " +
			"w_t = v_t exp(eta e_t / e_t(start)) / their sum, times m with normalize m; v = w of the last step, equal at first. e_t(start) is the mean over the first warmup steps " +
			"(at least one), in which w stays equal.",
		Traits: Traits{PermutationEquivariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"excess_mtl"},
		Config: func() any { return &ExcessMTLOptions{Eta: 1e-2, Normalize: "m"} },
		New: func(cfg any, tasks, units int) (Method, error) {
			o := cfg.(*ExcessMTLOptions)
			p := &excessMTL{o: *o, shares: newShares(tasks, units), steps: newSteps(tasks, units), start: make([]float64, units*tasks), rise: make([]float64, tasks)}
			return p, first(within("eta", o.Eta, 0, 100), oneOf("normalize", o.Normalize, "1", "m"), within("warmup", float64(o.Warmup), 0, 1e9))
		},
	})
}

// ExcessMTLOptions are the options of "excess_mtl".
type ExcessMTLOptions struct {
	Eta       float64 `yaml:"eta" doc:"step length of the weights" range:"0..100"`
	Warmup    int     `yaml:"warmup" doc:"steps whose mean is the start that excesses are compared with; the paper takes three epochs" range:"0..1000000000"`
	Normalize string  `yaml:"normalize" doc:"what the weights add up to: m, the number of tasks, or 1" oneof:"1 m"`
}

type excessMTL struct {
	o      ExcessMTLOptions
	shares *shares
	steps  *steps
	start  []float64 // [units, tasks] mean excess of the warm-up
	rise   []float64 // [m] logarithms of the factors
}

func (*excessMTL) Needs() Needs { return Needs{Level: Gram, Batches: 1, Squares: true} }

func (p *excessMTL) Weights(in *Input, w []float64) error {
	p.shares.load(in, w)
	p.steps.count(in)
	top := math.Inf(-1)
	for t, id := range in.Tasks {
		start, n, warm := &p.start[in.Unit*p.steps.tasks+id], p.steps.of(in, id), float64(p.o.Warmup)
		if n <= max(1, warm) {
			*start += in.Excess[t] / max(1, warm)
		}
		p.rise[t] = 0
		if n > warm && *start > 0 {
			p.rise[t] = p.o.Eta * in.Excess[t] / *start
		}
		top = max(top, p.rise[t])
	}
	var sum float64
	for t := range w {
		w[t] *= math.Exp(p.rise[t] - top) // the largest factor is 1: nothing overflows
		sum += w[t]
	}
	for t := range w {
		w[t] /= sum
	}
	p.shares.store(in, w)
	if p.o.Normalize == "m" {
		for t := range w {
			w[t] *= float64(len(w))
		}
	}
	return nil
}

// State is the weights, the excesses at the start and the steps.
func (p *excessMTL) State() []Array {
	return append(p.shares.state(), Array{"start", p.start}, p.steps.state())
}
