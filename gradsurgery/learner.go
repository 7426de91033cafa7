package gradsurgery

import "math"

// learner moves the scalars that a method learns by itself, in float64 and apart from the optimizer of the model: their gradient
// is known in closed form, their best rate differs, and weight decay or clipping of the model must not reach them. Every scalar
// counts its own steps, so a task that is absent keeps its scalar and its moments untouched.
//
//	sgd    x -= lr * (g + decay*x)
//	adam   Kingma & Ba 2015, beta 0.9 and 0.999, eps 1e-8, with decay*x added to the gradient
type learner struct {
	adam       bool
	lr, decay  float64
	x, m, v, n []float64 // value, first moment, second moment, steps
}

func newLearner(optimizer string, lr, decay, start float64, n int) (*learner, error) {
	if err := first(oneOf("optimizer", optimizer, "adam", "sgd"), positive("lr", lr), within("decay", decay, 0, math.Inf(1))); err != nil {
		return nil, err
	}
	l := &learner{adam: optimizer == "adam", lr: lr, decay: decay, x: make([]float64, n)}
	for i := range l.x {
		l.x[i] = start
	}
	if l.adam {
		l.m, l.v, l.n = make([]float64, n), make([]float64, n), make([]float64, n)
	}
	return l, nil
}

// step moves scalar i down its gradient g.
func (l *learner) step(i int, g float64) {
	const b1, b2, eps = 0.9, 0.999, 1e-8
	g += l.decay * l.x[i]
	if !l.adam {
		l.x[i] -= l.lr * g
		return
	}
	l.n[i]++
	l.m[i] = b1*l.m[i] + (1-b1)*g
	l.v[i] = b2*l.v[i] + (1-b2)*g*g
	c1, c2 := 1-math.Pow(b1, l.n[i]), 1-math.Pow(b2, l.n[i])
	l.x[i] -= l.lr / c1 * l.m[i] / (math.Sqrt(l.v[i])/math.Sqrt(c2) + eps)
}

// state returns the arrays of the learner; the values are called name.
func (l *learner) state(name string) []Array {
	if !l.adam {
		return []Array{{name, l.x}}
	}
	return []Array{{name, l.x}, {name + ".m", l.m}, {name + ".v", l.v}, {name + ".steps", l.n}}
}
