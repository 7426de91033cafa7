package gradsurgery

import "math"

func init() {
	Register(Entry{
		Name: "gradvac", Ref: "Wang et al. 2021, Gradient vaccine, ICLR 2021, arXiv 2010.05874",
		Doc: "for every task i: g = g_i; for j != i in random order, f = cos(g, g_j): if f < F_ij: g += |g| (F sqrt(1-f^2) - f sqrt(1-F^2)) / (|g_j| sqrt(1-F^2)) g_j, so that the cosine becomes F_ij; " +
			"then F_ij = (1-beta) F_ij + beta f. Update = sum of the m results. One F per pair and unit, 0 at first.\n" +
			"track corrected moves F_ij only where g changed, as LibMTL does. Zero gradients take no part.",
		Traits: Traits{ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true},
		Golden: []string{"gradvac"},
		Config: func() any { return &GradVacOptions{Beta: 0.5, Order: "random", Reduction: "sum", Track: "all"} },
		New: func(cfg any, tasks, units int) (Method, error) {
			o := cfg.(*GradVacOptions)
			orders, err := newOrders(o.Order, o.Given, false, tasks)
			err = first(err, within("beta", o.Beta, 0, 1), oneOf("reduction", o.Reduction, "sum", "mean"), oneOf("track", o.Track, "all", "corrected"))
			return &gradvac{o: *o, orders: orders, tasks: tasks, target: make([]float64, units*tasks*tasks),
				c: make([]float64, tasks), s: make([]float64, tasks)}, err
		},
	})
}

// GradVacOptions are the options of "gradvac".
type GradVacOptions struct {
	Beta      float64 `yaml:"beta" doc:"0..1, how fast the target cosines follow; public codes use 0.5, the paper 0.01" range:"0..1"`
	Order     string  `yaml:"order" doc:"random: drawn per row and step (the paper); index: 0,1,..; given: the lists in given" oneof:"random index given"`
	Reduction string  `yaml:"reduction" doc:"sum (the paper) or mean of the changed gradients" oneof:"sum mean"`
	Track     string  `yaml:"track" doc:"all: every pair moves its target; corrected: only pairs that were changed" oneof:"all corrected"`
	Given     [][]int `yaml:"given" doc:"for order given: per task, all task ids in the order in which it meets them (itself is skipped)"`
}

type gradvac struct {
	o      GradVacOptions
	orders *orders
	tasks  int
	target []float64 // [units, tasks, tasks]
	c, s   []float64 // [m] coefficients of g, and its products with the rows
}

func (*gradvac) Needs() Needs { return Needs{Level: Gram, Batches: 1} }

func (p *gradvac) Weights(in *Input, w []float64) error {
	m, g := len(w), in.Gram
	p.orders.begin(in)
	clear(w)
	for i, id := range in.Tasks {
		c, s := p.c[:m], p.s[:m]
		clear(c)
		c[i] = 1
		copy(s, g[i*m:i*m+m])
		target := p.target[(in.Unit*p.tasks+id)*p.tasks:][:p.tasks]
		for _, j := range p.orders.row(in, i) {
			square := 0.0 // |g|^2
			for k, x := range c {
				square += x * s[k]
			}
			if !(square > 0) || g[j*m+j] == 0 {
				continue
			}
			length, other := math.Sqrt(square), math.Sqrt(g[j*m+j])
			cos := min(1, max(-1, s[j]/length/other))
			want := &target[in.Tasks[j]]
			correct := cos < *want && *want < 1
			if correct {
				sin := math.Sqrt(1 - *want**want)
				a := length * (*want*math.Sqrt(1-cos*cos) - cos*sin) / (other * sin)
				c[j] += a
				for k, x := range g[j*m : j*m+m] {
					s[k] += a * x
				}
			}
			if correct || p.o.Track == "all" {
				*want += p.o.Beta * (cos - *want)
			}
		}
		for k, x := range c {
			w[k] += x
		}
	}
	if p.o.Reduction == "mean" {
		for t := range w {
			w[t] /= float64(m)
		}
	}
	return nil
}

// State is the target cosines.
func (p *gradvac) State() []Array { return []Array{{"target", p.target}} }
