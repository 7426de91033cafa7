package gradsurgery

import (
	"math"

	"artel/internal/linalg"
)

func init() {
	Register(Entry{
		Name: "svd_reweight", Ref: "Wu, Zhang & Re 2020, Understanding and improving information transfer in multi-task learning, ICLR 2020, arXiv 2005.00944, algorithm 1",
		Doc: "w_t = |U^T g_t|, U the rank leading left singular vectors of [g_1 .. g_m], brought to sum m: tasks along the directions that most tasks share count more. " +
			"The weights of a unit are made once, in the first step in which all tasks are present, and stay; before that they are 1. In a linear model of squared losses at zero, " +
			"g_t = -X_t^T y_t is the statistic of the paper. From G = V L V^T: w_t^2 = sum over the leading l of l v_t^2.",
		Traits: Traits{PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Config: func() any { return &SVDReweightOptions{Rank: 1} },
		New: func(cfg any, tasks, units int) (Method, error) {
			o := cfg.(*SVDReweightOptions)
			p := &svdReweight{o: *o, tasks: tasks, eig: linalg.NewEigen(tasks), l: make([]float64, tasks), w: make([]float64, units*tasks), made: make([]float64, units)}
			for i := range p.w {
				p.w[i] = 1
			}
			return p, within("rank", float64(o.Rank), 1, MaxTasks)
		},
	})
}

// SVDReweightOptions are the options of "svd_reweight".
type SVDReweightOptions struct {
	Rank int `yaml:"rank" doc:"shared directions; with as many as tasks a task's weight is the length of its gradient" range:"1..64"`
}

type svdReweight struct {
	o       SVDReweightOptions
	tasks   int
	eig     *linalg.Eigen
	l       []float64 // [m]
	w, made []float64 // [units, tasks]; [units] 1 once the weights are made
}

func (*svdReweight) Needs() Needs { return Needs{Level: Gram, Batches: 1} }

func (p *svdReweight) Weights(in *Input, w []float64) error {
	kept := p.w[in.Unit*p.tasks:][:p.tasks]
	if p.made[in.Unit] == 0 && len(w) == p.tasks {
		if err := p.make(in.Gram, kept); err != nil {
			return err
		}
		p.made[in.Unit] = 1
	}
	for t, id := range in.Tasks {
		w[t] = kept[id]
	}
	return nil
}

// make writes the weights for a Gram matrix of all tasks; equal ones when all gradients are zero.
func (p *svdReweight) make(g, w []float64) error {
	m := len(w)
	l := p.l[:m]
	v, err := p.eig.Solve(g, l)
	if err != nil {
		return err
	}
	next := math.Inf(1)
	clear(w)
	for range min(p.o.Rank, m) {
		at := -1 // the largest eigenvalue under the last one; equal ones in order
		for k, x := range l {
			if x <= next && !math.IsNaN(x) && (at < 0 || x > l[at]) {
				at = k
			}
		}
		x := max(0, l[at])
		for t := range w {
			w[t] += x * v[t*m+at] * v[t*m+at]
		}
		next, l[at] = l[at], math.NaN()
	}
	var sum float64
	for t := range w {
		w[t] = math.Sqrt(w[t])
		sum += w[t]
	}
	for t := range w {
		if w[t] *= float64(m) / sum; sum == 0 {
			w[t] = 1
		}
	}
	return nil
}

// State is the weights, and whether they are made.
func (p *svdReweight) State() []Array { return []Array{{"weights", p.w}, {"made", p.made}} }
