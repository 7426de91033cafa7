package gradsurgery

import "math"

func init() {
	Register(Entry{
		Name: "gradnorm", Ref: "Chen et al. 2018, GradNorm, arXiv 1711.02257, algorithm 1",
		Doc: "n_t = v_t |g_t|, target_t = mean(n) r_t^alpha, r_t = (L_t/L_t(first)) / their mean; v moves down the gradient of sum_t |n_t - target_t| with target held: " +
			"dv_t = sign(n_t - target_t) |g_t|, then v *= m / sum v. w = v before the move. One v per unit; losses must be positive. form softmax: v = m softmax(s), s moves down the same gradient (LibMTL).",
		Traits: Traits{PermutationEquivariant: true, ScaleInvariant: true, InRowSpan: true, NonNegative: true, Stationary: true, Deterministic: true},
		Golden: []string{"gradnorm"},
		Config: func() any { return &GradNormOptions{Alpha: 1.5, LR: 0.025, Layers: "all", Form: "plain"} },
		New: func(cfg any, tasks, units int) (Method, error) {
			o := cfg.(*GradNormOptions)
			g := &gradnorm{o: *o, tasks: tasks, v: make([]float64, units*tasks), start: make([]float64, units*tasks), target: make([]float64, tasks)}
			for i := range g.v {
				g.v[i] = 1 // for either form: m softmax of equal numbers is 1
			}
			return g, first(within("alpha", o.Alpha, 0, 100), positive("lr", o.LR), oneOf("layers", o.Layers, "all", "last"), oneOf("form", o.Form, "plain", "softmax"))
		},
	})
}

// GradNormOptions are the options of "gradnorm".
type GradNormOptions struct {
	Alpha  float64 `yaml:"alpha" doc:"how strongly slow tasks are favoured; 0 = equal gradient lengths" range:"0..100"`
	LR     float64 `yaml:"lr" doc:"learning rate of the weights, relative to the mean gradient length" range:"0<.."`
	Layers string  `yaml:"layers" doc:"where gradient lengths are taken: all shared parameters, or the last shared layer (the paper)" oneof:"all last"`
	Raw    bool    `yaml:"raw" doc:"use lr as it is, as the paper does, so that it depends on the scale of the gradients"`
	Form   string  `yaml:"form" doc:"plain: the weights themselves are learned (the paper); softmax: a parameter s of m softmax(s) (LibMTL)" oneof:"plain softmax"`
}

type gradnorm struct {
	o        GradNormOptions
	tasks    int
	v, start []float64 // [units, tasks] weights; first loss, 0 = none yet
	target   []float64 // [m]
}

func (g *gradnorm) Needs() Needs {
	return Needs{Level: Gram, Batches: 1, Own: len(g.v), LastLayer: g.o.Layers == "last"}
}

func (g *gradnorm) Weights(in *Input, w []float64) error {
	if err := positiveLosses(in); err != nil {
		return err
	}
	m, target := len(w), g.target[:len(w)]
	v, start := g.v[in.Unit*g.tasks:][:g.tasks], g.start[in.Unit*g.tasks:][:g.tasks]
	g.weights(in, v, w)
	var meanN, meanR, meanG, held float64
	for t, id := range in.Tasks {
		if start[id] == 0 {
			start[id] = in.Losses[t]
		}
		held += v[id]
		length := math.Sqrt(in.Gram[t*m+t])
		meanG += length / float64(m)
		meanN += w[t] * length / float64(m)
		target[t] = in.Losses[t] / start[id]
		meanR += target[t] / float64(m)
	}
	lr := g.o.LR
	if !g.o.Raw && meanG > 0 {
		lr /= meanG
	}
	if g.o.Form == "softmax" {
		g.moveSoftmax(in, v, w, lr, meanN, meanR)
		return nil
	}
	var sum float64
	for t, id := range in.Tasks {
		length := math.Sqrt(in.Gram[t*m+t])
		n := w[t] * length
		switch want := meanN * math.Pow(target[t]/meanR, g.o.Alpha); {
		case n > want:
			v[id] -= lr * length
		case n < want:
			v[id] += lr * length
		}
		v[id] = max(v[id], 1e-3) // a weight that a large rate drives under 0 would climb its own loss
		sum += v[id]
	}
	for _, id := range in.Tasks {
		v[id] *= held / sum // absent tasks keep theirs, so the sum over all tasks stays
	}
	return nil
}

// weights reads v.
func (g *gradnorm) weights(in *Input, v, w []float64) {
	for t, id := range in.Tasks {
		w[t] = v[id]
	}
	if g.o.Form == "softmax" {
		softmax(w)
		for t := range w {
			w[t] *= float64(len(w))
		}
	}
}

// moveSoftmax moves s down the gradient through w = m softmax(s): ds_t = w_t (d_t - sum_k w_k d_k / m), d_t = sign(n_t - target_t) |g_t|.
func (g *gradnorm) moveSoftmax(in *Input, s, w []float64, lr, meanN, meanR float64) {
	m, d := len(w), g.target[:len(w)]
	var mean float64
	for t := range d {
		length := math.Sqrt(in.Gram[t*m+t])
		switch n, want := w[t]*length, meanN*math.Pow(d[t]/meanR, g.o.Alpha); {
		case n > want:
			d[t] = length
		case n < want:
			d[t] = -length
		default:
			d[t] = 0
		}
		mean += w[t] * d[t] / float64(m)
	}
	for t, id := range in.Tasks {
		s[id] -= lr * w[t] * (d[t] - mean)
	}
}

// State is the weights and the first losses.
func (g *gradnorm) State() []Array { return []Array{{"weights", g.v}, {"first", g.start}} }
