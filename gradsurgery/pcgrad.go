package gradsurgery

func init() {
	Register(Entry{
		Name: "pcgrad", Ref: "Yu et al. 2020, Gradient surgery for multi-task learning, arXiv 2001.06782, algorithm 1",
		Doc: "for every task i: g = g_i; for j != i in random order: if <g,g_j> < 0: g -= <g,g_j>/|g_j|^2 g_j (g_j as given); update = sum of the m results.\n" +
			"Done on coefficients: c = e_i, s = G c, c_j -= s_j/G_jj where s_j < 0; w = sum of the c. So w_i >= 1 for reduction sum. " +
			"A row never meets itself (the official and some public codes visit j = i; self does that). A zero row is never projected on.",
		Traits: Traits{LinearUnderScaling: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true},
		Golden: []string{"pcgrad"},
		Config: func() any { return &PCGradOptions{Order: "random", Reduction: "sum"} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*PCGradOptions)
			orders, err := newOrders(o.Order, o.Given, o.Self, tasks)
			if err := first(err, oneOf("reduction", o.Reduction, "sum", "mean")); err != nil {
				return nil, err
			}
			return &pcgrad{orders: orders, mean: o.Reduction == "mean", s: make([]float64, tasks)}, nil
		},
	})
}

// PCGradOptions are the options of "pcgrad".
type PCGradOptions struct {
	Order     string  `yaml:"order" doc:"random: drawn per row and step (the paper); index: 0,1,..; given: the lists in given" oneof:"random index given"`
	Reduction string  `yaml:"reduction" doc:"sum (the paper) or mean of the projected gradients" oneof:"sum mean"`
	Given     [][]int `yaml:"given" doc:"for order given: per task, all task ids in the order in which it meets them (itself is skipped, unless self)"`
	Self      bool    `yaml:"self" doc:"a task also meets itself in its place of the order, as in LibMTL and the official code; not the paper"`
}

type pcgrad struct {
	orders *orders
	mean   bool
	s      []float64 // [m] G c
}

func (*pcgrad) Needs() Needs { return Needs{Level: Gram, Batches: 1} }

func (p *pcgrad) Weights(in *Input, w []float64) error {
	m, g := len(w), in.Gram
	p.orders.begin(in)
	clear(w)
	for i := range w {
		s := p.s[:m]
		copy(s, g[i*m:i*m+m])
		w[i]++
		for _, j := range p.orders.row(in, i) {
			if !(s[j] < 0) || g[j*m+j] == 0 {
				continue
			}
			c := -s[j] / g[j*m+j]
			w[j] += c
			for k, v := range g[j*m : j*m+m] {
				s[k] += c * v
			}
		}
	}
	if p.mean {
		for t := range w {
			w[t] /= float64(m)
		}
	}
	return nil
}
