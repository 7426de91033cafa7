package gradsurgery

import "math"

func init() {
	Register(Entry{
		Name: "moco", Ref: "Fernando et al. 2023, Mitigating gradient bias in multi-objective learning (MoCo), ICLR 2023, arXiv 2210.12624; scaling and softmax as in LibMTL",
		Doc: "h_t = L_t g_t / |g_t|; y_t = y_t - b (y_t - h_t), b = beta / n^beta_sigma in step n of the task; " +
			"l = softmax(l - c (Y Y^T + rho I) l), c = gamma / n^gamma_sigma; g = Y^T l. l is equal at first; absent tasks keep theirs.",
		Traits: Traits{PermutationEquivariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Config: func() any { return &MoCoOptions{Beta: 0.5, BetaSigma: 0.5, Gamma: 0.1, GammaSigma: 0.5} },
		New: func(cfg any, tasks, units int) (Method, error) {
			o := cfg.(*MoCoOptions)
			p := &moco{o: *o, shares: newShares(tasks, units), steps: newSteps(tasks, units), yl: make([]float64, tasks)}
			return p, first(within("beta", o.Beta, 0, 1), within("beta_sigma", o.BetaSigma, 0, 10), positive("gamma", o.Gamma),
				within("gamma_sigma", o.GammaSigma, 0, 10), within("rho", o.Rho, 0, math.Inf(1)))
		},
	})
}

// MoCoOptions are the options of "moco".
type MoCoOptions struct {
	Beta       float64 `yaml:"beta" doc:"share of the new gradient in the tracked one" range:"0..1"`
	BetaSigma  float64 `yaml:"beta_sigma" doc:"how fast that share falls with the steps; 0: not" range:"0..10"`
	Gamma      float64 `yaml:"gamma" doc:"step length of the weights" range:"0<.."`
	GammaSigma float64 `yaml:"gamma_sigma" doc:"how fast that length falls with the steps; 0: not" range:"0..10"`
	Rho        float64 `yaml:"rho" doc:"pull towards equal weights" range:"0.."`
}

type moco struct {
	o      MoCoOptions
	shares *shares
	steps  *steps
	yl     []float64 // [m] Y Y^T l
}

func (*moco) Needs() Needs { return Needs{Level: Gram, Batches: 1, Track: true} }

// Track moves every tracked gradient towards the gradient with the length of its loss.
func (p *moco) Track(in *Input, keep, take []float64) error {
	m := len(keep)
	p.steps.count(in)
	for t, id := range in.Tasks {
		b := p.o.Beta / math.Pow(p.steps.of(in, id), p.o.BetaSigma)
		keep[t], take[t] = 1-b, 0
		if d := in.Gram[t*m+t]; d > 0 {
			take[t] = b * in.Losses[t] / math.Sqrt(d)
		}
	}
	return nil
}

func (p *moco) Weights(in *Input, w []float64) error {
	m := len(w)
	p.shares.load(in, w)
	yl := p.yl[:m]
	for t := range yl {
		yl[t] = p.o.Rho * w[t]
		for k, v := range in.Gram[t*m : t*m+m] {
			yl[t] += v * w[k]
		}
	}
	for t, id := range in.Tasks {
		w[t] -= p.o.Gamma / math.Pow(p.steps.of(in, id), p.o.GammaSigma) * yl[t]
	}
	softmax(w)
	p.shares.store(in, w)
	return nil
}

// State is the weights and the steps of every task.
func (p *moco) State() []Array { return append(p.shares.state(), p.steps.state()) }
