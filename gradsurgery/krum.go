package gradsurgery

import (
	"math"
	"slices"

	"github.com/pkg/errors"
)

func init() {
	Register(Entry{
		Name: "krum", Ref: "Blanchard et al. 2017, Machine learning with adversaries: Byzantine tolerant gradient descent, NeurIPS 2017",
		Doc: "score_t = sum of the m - outliers - 2 smallest |g_t - g_k|^2, k != t (at least one); w = 1/selected for the tasks with the smallest scores, ties to the lower id; else 0.\n" +
			"Drops tasks whose gradient is far from all others. With fewer present tasks than selected, all take part.",
		Traits: Traits{ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"krum"},
		Config: func() any { return &KrumOptions{Outliers: 1, Selected: 1} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*KrumOptions)
			if o.Outliers < 0 || o.Selected < 1 {
				return nil, errors.Errorf("outliers %d, selected %d, want at least 0 and 1", o.Outliers, o.Selected)
			}
			return &krum{o: *o, d: make([]float64, tasks), score: make([]float64, tasks)}, nil
		},
	})
}

// KrumOptions are the options of "krum".
type KrumOptions struct {
	Outliers int  `yaml:"outliers" doc:"how many tasks may be far off" range:"0.."`
	Selected int  `yaml:"selected" doc:"how many tasks take part" range:"1.."`
	Plain    bool `yaml:"plain" doc:"add up distances instead of their squares, as TorchJD does"`
}

type krum struct {
	o        KrumOptions
	d, score []float64 // [m]
}

func (*krum) Needs() Needs { return Needs{Level: Gram, Batches: 1} }

func (p *krum) Weights(in *Input, w []float64) error {
	m, g := len(w), in.Gram
	for i := range w {
		d := p.d[:0]
		for k := range w {
			if k != i {
				x := max(0, g[i*m+i]+g[k*m+k]-2*g[i*m+k])
				if p.o.Plain {
					x = math.Sqrt(x)
				}
				d = append(d, x)
			}
		}
		slices.Sort(d)
		p.score[i] = 0
		for _, x := range d[:min(len(d), max(1, m-p.o.Outliers-2))] {
			p.score[i] += x
		}
	}
	n := min(p.o.Selected, m)
	clear(w)
	for range n {
		best, at := math.Inf(1), -1
		for i, x := range p.score[:m] {
			if w[i] == 0 && (at < 0 || x < best) {
				best, at = x, i
			}
		}
		w[at] = 1 / float64(n)
	}
	return nil
}
