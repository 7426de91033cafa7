package gradsurgery

import "math"

func init() {
	Register(Entry{
		Name: "db_mtl", Ref: "Lin et al. 2023, Dual-balancing for multi-task learning, arXiv 2308.12029",
		Doc: "h_t = gradient of log(L_t + 1e-8); y_t = b y_t + (1-b) h_t, b = beta / n^sigma in step n of the task; w_t = max_k |y_k| / |y_t|: all log-loss gradients as long as the longest. " +
			"With beta 0 nothing is tracked. A zero gradient gets weight 0; losses must be positive.",
		Traits: Traits{PermutationEquivariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Config: func() any { return &DBMTLOptions{Beta: 0.9} },
		New: func(cfg any, tasks, units int) (Method, error) {
			o := cfg.(*DBMTLOptions)
			return &dbMTL{*o, newSteps(tasks, units)}, first(within("beta", o.Beta, 0, 0.9999), within("sigma", o.Sigma, 0, 10))
		},
	})
}

// DBMTLOptions are the options of "db_mtl".
type DBMTLOptions struct {
	Beta  float64 `yaml:"beta" doc:"share of the old tracked gradient; 0: no memory" range:"0..0.9999"`
	Sigma float64 `yaml:"sigma" doc:"how fast that share falls with the steps; 0: not" range:"0..10"`
}

type dbMTL struct {
	o     DBMTLOptions
	steps *steps
}

func (p *dbMTL) Needs() Needs { return Needs{Level: Gram, Batches: 1, Track: p.o.Beta > 0} }

// logEps is added to losses before the logarithm.
const logEps = 1e-8

// Track moves every tracked gradient towards the gradient of the logarithm of its loss.
func (p *dbMTL) Track(in *Input, keep, take []float64) error {
	if err := positiveLosses(in); err != nil {
		return err
	}
	p.steps.count(in)
	for t, id := range in.Tasks {
		keep[t] = p.o.Beta / math.Pow(p.steps.of(in, id), p.o.Sigma)
		take[t] = (1 - keep[t]) / (in.Losses[t] + logEps)
	}
	return nil
}

func (p *dbMTL) Weights(in *Input, w []float64) error {
	m := len(w)
	if p.o.Beta == 0 {
		if err := positiveLosses(in); err != nil {
			return err
		}
	}
	scale, longest := 1.0, 0.0
	length := func(t int) float64 {
		if p.o.Beta == 0 {
			scale = 1 / (in.Losses[t] + logEps)
		}
		return scale * math.Sqrt(in.Gram[t*m+t])
	}
	for t := range w {
		longest = max(longest, length(t))
	}
	for t := range w {
		w[t] = 0
		if l := length(t); l > 0 {
			w[t] = scale * longest / l
		}
	}
	return nil
}

// State is the steps of every task.
func (p *dbMTL) State() []Array {
	if p.o.Beta == 0 {
		return nil
	}
	return []Array{p.steps.state()}
}
