package gradsurgery

import (
	"artel/rng"

	"github.com/pkg/errors"
)

func init() {
	Register(Entry{
		Name: "pcgrad", Ref: "Yu et al. 2020, Gradient surgery for multi-task learning, arXiv 2001.06782, algorithm 1",
		Doc: "for every task i: g = g_i; for j != i in random order: if <g,g_j> < 0: g -= <g,g_j>/|g_j|^2 g_j (g_j as given); update = sum of the m results.\n" +
			"Done on coefficients: c = e_i, s = G c, c_j -= s_j/G_jj where s_j < 0; w = sum of the c. So w_i >= 1 for reduction sum. " +
			"A row never meets itself (the official and some public codes visit j = i). A zero row is never projected on.",
		Traits: Traits{LinearUnderScaling: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true},
		Golden: []string{"pcgrad"},
		Config: func() any { return &PCGradOptions{Order: "random", Reduction: "sum"} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*PCGradOptions)
			if err := first(oneOf("order", o.Order, "random", "index", "given"), oneOf("reduction", o.Reduction, "sum", "mean")); err != nil {
				return nil, err
			}
			if o.Order == "given" {
				if err := checkOrders(o.Given, tasks); err != nil {
					return nil, err
				}
			}
			return &pcgrad{o: *o, order: make([]int, tasks), pos: make([]int, tasks), s: make([]float64, tasks)}, nil
		},
	})
}

// PCGradOptions are the options of "pcgrad".
type PCGradOptions struct {
	Order     string  `yaml:"order" doc:"random: drawn per row and step (the paper); index: 0,1,..; given: the lists in given"`
	Reduction string  `yaml:"reduction" doc:"sum (the paper) or mean of the projected gradients"`
	Given     [][]int `yaml:"given" doc:"for order given: per task, all task ids in the order in which it meets them (itself is skipped)"`
}

type pcgrad struct {
	o     PCGradOptions
	order []int     // [tasks] the order of one row, over all ids
	pos   []int     // [tasks] index among the present tasks, or -1
	s     []float64 // [m] G c
}

func (*pcgrad) Needs() Needs { return Needs{Level: Gram, Batches: 1} }

func (p *pcgrad) Weights(in *Input, w []float64) error {
	m, g := len(w), in.Gram
	present(p.pos, in.Tasks)
	clear(w)
	for i, id := range in.Tasks {
		order := p.order
		switch p.o.Order {
		case "given":
			order = p.o.Given[id]
		case "random":
			// Over all tasks, so that the order of the present ones does not depend on who else is present.
			rowStream(in, id).Perm(order)
		default:
			for k := range order {
				order[k] = k
			}
		}
		s := p.s[:m]
		copy(s, g[i*m:i*m+m])
		w[i]++
		for _, other := range order {
			j := p.pos[other]
			if j < 0 || j == i || !(s[j] < 0) || g[j*m+j] == 0 {
				continue
			}
			c := -s[j] / g[j*m+j]
			w[j] += c
			for k, v := range g[j*m : j*m+m] {
				s[k] += c * v
			}
		}
	}
	if p.o.Reduction == "mean" {
		for t := range w {
			w[t] /= float64(m)
		}
	}
	return nil
}

// present writes the index of every task among the present ones, or -1.
func present(pos, tasks []int) {
	for k := range pos {
		pos[k] = -1
	}
	for i, id := range tasks {
		pos[id] = i
	}
}

// rowStream is the stream of what row id draws in this step and unit.
func rowStream(in *Input, id int) *rng.Stream {
	s := in.RNG.Sub("row", uint64(id))
	return &s
}

// checkOrders makes sure that given holds one permutation of the task ids per task.
func checkOrders(given [][]int, tasks int) error {
	if len(given) != tasks {
		return errors.Errorf("given has %d orders, want %d, one per task", len(given), tasks)
	}
	for i, order := range given {
		seen := make([]bool, tasks)
		for _, j := range order {
			if j < 0 || j >= tasks || seen[j] {
				return errors.Errorf("given[%d] is %v, want each of the ids 0..%d at most once", i, order, tasks-1)
			}
			seen[j] = true
		}
		seen[i] = true
		for j, ok := range seen {
			if !ok {
				return errors.Errorf("given[%d] is %v, which lacks task %d", i, order, j)
			}
		}
	}
	return nil
}
