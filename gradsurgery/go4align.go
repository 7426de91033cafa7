package gradsurgery

import (
	"math"

	"artel/internal/linalg"
)

func init() {
	Register(Entry{
		Name: "go4align", Ref: "Shen et al. 2024, GO4Align: group optimization for multi-task alignment, NeurIPS 2024, arXiv 2404.06486",
		Doc: "p_t = p_t exp(-eta L_t) / their sum, equal at first; c_t = p_t sum_k L_k / L_t; the c fall into groups by 1-D k-means and w_t = mean c of the group of t. " +
			"k-means is exact here (dynamic programming), where the public code starts at random. Losses must be positive.",
		Traits: Traits{PermutationEquivariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Config: func() any { return &GO4AlignOptions{Eta: 1e-4, Groups: 2} },
		New: func(cfg any, tasks, units int) (Method, error) {
			o := cfg.(*GO4AlignOptions)
			return &go4align{o: *o, shares: newShares(tasks, units), c: make([]float64, tasks), means: linalg.NewIntervals(tasks)},
				first(within("eta", o.Eta, 0, 100), within("groups", float64(o.Groups), 1, MaxTasks))
		},
	})
}

// GO4AlignOptions are the options of "go4align".
type GO4AlignOptions struct {
	Eta    float64 `yaml:"eta" doc:"how strongly tasks with a large loss lose their share" range:"0..100"`
	Groups int     `yaml:"groups" doc:"groups of tasks; with as many as tasks every task is its own" range:"1..64"`
}

type go4align struct {
	o      GO4AlignOptions
	shares *shares
	c      []float64 // [m]
	means  *linalg.Intervals
}

func (*go4align) Needs() Needs { return Needs{Level: Losses, Batches: 1} }

func (p *go4align) Weights(in *Input, w []float64) error {
	if err := positiveLosses(in); err != nil {
		return err
	}
	p.shares.load(in, w)
	least, sum, total := math.Inf(1), 0.0, 0.0
	for _, l := range in.Losses {
		least = min(least, l)
		total += l
	}
	for t, l := range in.Losses {
		w[t] *= math.Exp(-p.o.Eta * (l - least)) // a common factor, so that not all vanish
		sum += w[t]
	}
	for t := range w {
		w[t] /= sum
	}
	p.shares.store(in, w)
	c := p.c[:len(w)]
	for t, l := range in.Losses {
		c[t] = w[t] * total / l
	}
	p.means.Means(c, p.o.Groups, w)
	return nil
}

// State is the shares.
func (p *go4align) State() []Array { return p.shares.state() }
