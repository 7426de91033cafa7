package gradsurgery

func init() {
	Register(Entry{
		Name: "cagrad", Ref: "Liu et al. 2021, Conflict-averse gradient descent, arXiv 2110.14048, algorithm 1",
		Doc: "d = argmax min_t <g_t,d> over |d - g_0| <= c |g_0|, g_0 the mean gradient: w = 1/m + c|g_0|/|g_v| * v, v = argmin <g_0,g_v> + c|g_0||g_v| over the simplex, exact.\n" +
			"rescale 1 divides by 1+c^2, 2 by 1+c. Where 0 is a convex combination of the gradients and the ball reaches the cone {J d >= 0}, v is not unique and public codes " +
			"divide by zero or return 0; here d is then the point of that cone nearest to g_0, which still has the best worst case (0) and is the limit of smaller balls. " +
			"So a task whose gradient is zero does not stop the others. c >= 1: no conflict.",
		Traits: Traits{PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"cagrad"},
		Config: func() any { return &CAGradOptions{C: 0.4} },
		New: func(cfg any, tasks, _ int) (Method, error) {
			o := cfg.(*CAGradOptions)
			if err := first(within("c", o.C, 0, 1e3), within("rescale", float64(o.Rescale), 0, 2)); err != nil {
				return nil, err
			}
			return &cagrad{newBall(o.C, o.Rescale, tasks), make([]float64, tasks)}, nil
		},
	})
}

// CAGradOptions are the options of "cagrad".
type CAGradOptions struct {
	C       float64 `yaml:"c" doc:"radius of the ball around the mean gradient, relative to its length; 0 = mean, >= 1 = no conflict" range:"0..1000"`
	Rescale int     `yaml:"rescale" doc:"0 as in the paper; 1 divides the update by 1+c^2, 2 by 1+c" range:"0..2"`
}

type cagrad struct {
	ball *ball
	u    []float64 // [m] weights of the mean gradient
}

func (*cagrad) Needs() Needs { return Needs{Level: Gram, Batches: 1} }

func (p *cagrad) Weights(in *Input, w []float64) error {
	u := p.u[:len(w)]
	for t := range u {
		u[t] = 1 / float64(len(w))
	}
	return p.ball.weights(in.Gram, u, w)
}
