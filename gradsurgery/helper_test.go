package gradsurgery_test

import (
	"math"
	"testing"

	"artel/gradsurgery"
	"artel/rng"
)

// rows are task gradients J [m,p].
type rows [][]float64

func normal(m, p int, s *rng.Stream) rows {
	j := make(rows, m)
	for i := range j {
		j[i] = make([]float64, p)
		for k := range j[i] {
			j[i][k] = s.Normal()
		}
	}
	return j
}

func dot(x, y []float64) float64 {
	var s float64
	for i := range x {
		s += x[i] * y[i]
	}
	return s
}

func norm(x []float64) float64 { return math.Sqrt(dot(x, x)) }

func (j rows) gram() []float64 {
	g := make([]float64, 0, len(j)*len(j))
	for i := range j {
		for k := range j {
			g = append(g, dot(j[i], j[k]))
		}
	}
	return g
}

// times returns J^T w and sum_t |w_t| |g_t|, the size of its terms.
func (j rows) times(w []float64) (out []float64, size float64) {
	out = make([]float64, len(j[0]))
	for t, row := range j {
		size += math.Abs(w[t]) * norm(row)
		for k, v := range row {
			out[k] += w[t] * v
		}
	}
	return out, size
}

func (j rows) scaled(c ...float64) rows {
	out := make(rows, len(j))
	for i, row := range j {
		out[i] = make([]float64, len(row))
		for k, v := range row {
			out[i][k] = v * c[i%len(c)]
		}
	}
	return out
}

// input returns what a method reads for these rows, with all tasks present and losses 1, 2, 3 ... over m.
func (j rows) input() *gradsurgery.Input {
	in := &gradsurgery.Input{Gram: j.gram(), RNG: rng.New(42)}
	in.Cross = in.Gram
	for t := range j {
		in.Tasks = append(in.Tasks, t)
		in.Losses = append(in.Losses, float64(t+1)/float64(len(j)))
	}
	return in
}

func build(t testing.TB, name string, cfg any, tasks int) *gradsurgery.Surgery {
	t.Helper()
	s, err := gradsurgery.New(name, cfg, tasks, 1)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// weights runs a fresh method once.
func weights(t testing.TB, name string, cfg any, in *gradsurgery.Input) []float64 {
	t.Helper()
	w := make([]float64, len(in.Tasks))
	if err := build(t, name, cfg, len(in.Tasks)).Weights(in, w); err != nil {
		t.Fatal(err)
	}
	return w
}

// gradDrop is the formula of kernels.GradDrop with given uniform numbers u [p].
func gradDrop(j rows, leak, u []float64) []float64 {
	out := make([]float64, len(u))
	for p := range u {
		var sum, abs float64
		for _, row := range j {
			sum += row[p]
			abs += math.Abs(row[p])
		}
		q := 0.5
		if abs > 0 {
			q = (1 + sum/abs) / 2
		}
		for t, row := range j {
			if (q > u[p] && row[p] > 0) || (q < u[p] && row[p] < 0) {
				out[p] += row[p]
			} else {
				out[p] += leak[t] * row[p]
			}
		}
	}
	return out
}

func near(x, y, tol float64) bool { return math.Abs(x-y) <= tol }
