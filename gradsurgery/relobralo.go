package gradsurgery

func init() {
	Register(Entry{
		Name: "relobralo", Ref: "Bischof & Kraus 2021, Multi-objective loss balancing for physics-informed deep learning, arXiv 2110.09813 (ReLoBRaLo)",
		Doc: "c(t') = m softmax(L / (tau L(t'))); w = alpha (r w_previous + (1-r) c(first step)) + (1-alpha) c(previous step), r ~ Bernoulli(beta) per step, w = 1 at first.\n" +
			"Losses must be positive. Tasks absent in a step keep their w and losses.",
		Traits: Traits{LinearUnderScaling: true, PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true},
		Config: func() any { return &ReLoBRaLoOptions{Alpha: 0.95, Beta: 0.99, Tau: 1} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*ReLoBRaLoOptions)
			r := &relobralo{o: *o, w: make([]float64, tasks), start: make([]float64, tasks), last: make([]float64, tasks), c: make([]float64, tasks)}
			for t := range r.w {
				r.w[t] = 1
			}
			return r, first(within("alpha", o.Alpha, 0, 1), within("beta", o.Beta, 0, 1), positive("tau", o.Tau))
		},
	})
}

// ReLoBRaLoOptions are the options of "relobralo".
type ReLoBRaLoOptions struct {
	Alpha float64 `yaml:"alpha" doc:"how much of the past stays" range:"0..1"`
	Beta  float64 `yaml:"beta" doc:"probability to compare with the previous weights instead of the first step" range:"0..1"`
	Tau   float64 `yaml:"tau" doc:"temperature" range:"0<.."`
}

type relobralo struct {
	o                 ReLoBRaLoOptions
	w, start, last, c []float64 // [tasks] weights, first and last loss (0 = none yet); [m]
}

func (*relobralo) Needs() Needs { return Needs{Level: Losses, Batches: 1} }

func (r *relobralo) Weights(in *Input, w []float64) error {
	if err := positiveLosses(in); err != nil {
		return err
	}
	for t, id := range in.Tasks {
		if r.start[id] == 0 {
			r.start[id], r.last[id] = in.Losses[t], in.Losses[t]
		}
	}
	s := in.RNG.Sub("lookback")
	c := r.c[:len(w)]
	stay := s.Float64() < r.o.Beta
	if stay {
		for t, id := range in.Tasks {
			w[t] = r.w[id]
		}
	} else {
		r.balance(in, r.start, w)
	}
	r.balance(in, r.last, c)
	for t, id := range in.Tasks {
		w[t] = r.o.Alpha*w[t] + (1-r.o.Alpha)*c[t]
		r.w[id], r.last[id] = w[t], in.Losses[t]
	}
	return nil
}

// balance writes c = m softmax(L / (tau * then)).
func (r *relobralo) balance(in *Input, then, c []float64) {
	for t, id := range in.Tasks {
		c[t] = in.Losses[t] / (r.o.Tau * then[id])
	}
	softmax(c)
	for t := range c {
		c[t] *= float64(len(c))
	}
}

// State is the weights and the first and last losses.
func (r *relobralo) State() []Array {
	return []Array{{"weights", r.w}, {"first", r.start}, {"last", r.last}}
}
