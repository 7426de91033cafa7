package gradsurgery

func init() {
	Register(Entry{
		Name: "cagrad_fast", Ref: "Liu et al. 2021, Conflict-averse gradient descent, arXiv 2110.14048, section 3.2 (practical speedup)",
		Doc: "cagrad over n = sample tasks, drawn per step and unit, and the mean gradient of the others as one more row; the ball is around the mean of all. " +
			"The worst case of the others is then that of their mean. With m <= sample it is cagrad.",
		Traits: Traits{ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true},
		Golden: []string{"cagrad"},
		Config: func() any { return &CAGradFastOptions{C: 0.4, Sample: 4} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*CAGradFastOptions)
			n := tasks + 1
			return &cagradFast{sample: o.Sample, ball: newBall(o.C, o.Rescale, n), ids: make([]int, tasks), drawn: make([]bool, tasks),
					s: make([]float64, n*tasks), g: make([]float64, n*n), u: make([]float64, n), v: make([]float64, n)},
				first(within("c", o.C, 0, 1e3), within("rescale", float64(o.Rescale), 0, 2), within("sample", float64(o.Sample), 1, MaxTasks))
		},
	})
}

// CAGradFastOptions are the options of "cagrad_fast".
type CAGradFastOptions struct {
	C       float64 `yaml:"c" doc:"radius of the ball around the mean gradient, relative to its length" range:"0..1000"`
	Rescale int     `yaml:"rescale" doc:"0 as in the paper; 1 divides the update by 1+c^2, 2 by 1+c" range:"0..2"`
	Sample  int     `yaml:"sample" doc:"tasks that are rows of their own in a step; the paper draws 4 of 10 and 8 of 50" range:"1..64"`
}

type cagradFast struct {
	sample  int
	ball    *ball
	ids     []int
	drawn   []bool    // [tasks] by id
	s       []float64 // [n,m] rows of the small problem in terms of task gradients
	g, u, v []float64 // [n,n] their Gram matrix; [n] the mean and the weights in their terms
}

func (*cagradFast) Needs() Needs { return Needs{Level: Gram, Batches: 1} }

func (p *cagradFast) Weights(in *Input, w []float64) error {
	m := len(w)
	n := p.rows(in, m)
	s, g, u, v := p.s[:n*m], p.g[:n*n], p.u[:n], p.v[:n]
	for i := range n { // G of the rows: S G S^T
		for j := range n {
			sum := 0.0
			for a, x := range s[i*m : i*m+m] {
				for b, y := range s[j*m : j*m+m] {
					if x != 0 && y != 0 {
						sum += x * y * in.Gram[a*m+b]
					}
				}
			}
			g[i*n+j] = sum
		}
	}
	if err := p.ball.weights(g, u, v); err != nil {
		return err
	}
	clear(w)
	for i, c := range v {
		for t, x := range s[i*m : i*m+m] {
			w[t] += c * x
		}
	}
	return nil
}

// rows writes the rows of the small problem and the weights u of the mean gradient in their terms; n is their number.
func (p *cagradFast) rows(in *Input, m int) (n int) {
	clear(p.drawn)
	stream := in.RNG.Sub("sample")
	stream.Perm(p.ids) // over all tasks: who is drawn first does not depend on who is present
	left := p.sample
	for _, id := range p.ids {
		for _, t := range in.Tasks {
			if t == id && left > 0 {
				p.drawn[id] = true
				left--
			}
		}
	}
	clear(p.s)
	rest := 0
	for t, id := range in.Tasks {
		if m <= p.sample || p.drawn[id] {
			p.s[n*m+t] = 1
			p.u[n] = 1 / float64(m)
			n++
		} else {
			rest++
		}
	}
	if rest == 0 {
		return n
	}
	for t, id := range in.Tasks {
		if !p.drawn[id] {
			p.s[n*m+t] = 1 / float64(rest)
		}
	}
	p.u[n] = float64(rest) / float64(m)
	return n + 1
}
