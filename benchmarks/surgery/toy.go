package main

import (
	"fmt"
	"log"
	"math"

	"artel/gradsurgery"
	"artel/rng"
)

// quadratics is two tasks in the plane, L_t(x) = (x-c_t)^T diag(a_t) (x-c_t) / 2. Its Pareto set is known: x(l) = (l A_1 + (1-l) A_2)^-1 (l A_1 c_1 + (1-l) A_2 c_2), 0 <= l <= 1.
type quadratics struct{ a, c [2][2]float64 }

func (q *quadratics) losses(x []float64) []float64 {
	out := make([]float64, 2)
	for t := range out {
		for k := range 2 {
			d := x[k] - q.c[t][k]
			out[t] += q.a[t][k] * d * d / 2
		}
	}
	return out
}

func (q *quadratics) gradients(x []float64) [][]float64 {
	out := [][]float64{{0, 0}, {0, 0}}
	for t := range out {
		for k := range 2 {
			out[t][k] = q.a[t][k] * (x[k] - q.c[t][k])
		}
	}
	return out
}

// fromPareto is the distance of x to the Pareto set.
func (q *quadratics) fromPareto(x []float64) float64 {
	best := math.Inf(1)
	for i := range 10001 {
		l := float64(i) / 10000
		var sq float64
		for k := range 2 {
			a, b := l*q.a[0][k], (1-l)*q.a[1][k]
			d := x[k] - (a*q.c[0][k]+b*q.c[1][k])/(a+b)
			sq += d * d
		}
		best = min(best, sq)
	}
	return math.Sqrt(best)
}

// descend makes steps of gradient descent with a method and returns where it ends.
func descend(name string, x0 []float64, steps int, rate func(i int) float64, losses func([]float64) []float64, gradients func([]float64) [][]float64, seed uint64) ([]float64, error) {
	s, err := gradsurgery.New(name, nil, 2, 1)
	if err != nil {
		return nil, err
	}
	x, w := append([]float64(nil), x0...), make([]float64, 2)
	for i := range steps {
		g := gradients(x)
		in := gradsurgery.Input{Step: int64(i), Tasks: []int{0, 1}, Losses: losses(x), RNG: rng.New(seed).At(uint64(i))}
		for _, a := range g {
			for _, b := range g {
				in.Gram = append(in.Gram, a[0]*b[0]+a[1]*b[1])
			}
		}
		if err := s.Weights(&in, w); err != nil {
			return nil, err
		}
		for k := range x {
			x[k] -= rate(i) * (w[0]*g[0][k] + w[1]*g[1][k])
		}
	}
	return x, nil
}

// printToys prints the problems in closed form.
func printToys() {
	q := &quadratics{a: [2][2]float64{{1, 10}, {10, 1}}, c: [2][2]float64{{-1, 0}, {1, 0.5}}}
	starts := [][]float64{{3, 3}, {-3, 2}, {0, -4}, {4, -1}, {-2, -2}}
	fmt.Print("### Two quadratics with a known Pareto set\n\nFrom five starts, 2,000 steps, rate 0.05 falling to 0. Distance to the Pareto set at the end, and the larger of the two losses; means over starts.\n\n")
	fmt.Println("| method | distance | larger loss |\n|---|---|---|")
	fall := func(n int, r float64) func(int) float64 {
		return func(i int) float64 { return r * (1 + math.Cos(math.Pi*float64(i)/float64(n))) / 2 }
	}
	for _, e := range gradsurgery.Entries() {
		m, err := gradsurgery.New(e.Name, nil, 2, 1)
		if err != nil {
			log.Fatal(err)
		}
		if n := m.Needs; n.Level == gradsurgery.TaskGradients || n.Track || n.Squares || n.Batches > 1 || n.AfterStep {
			continue // they need more than inner products and losses
		}
		var dist, larger float64
		for i, x0 := range starts {
			x, err := descend(e.Name, x0, 2000, fall(2000, 0.05), q.losses, q.gradients, uint64(i))
			if err != nil {
				log.Fatalf("%s: %v", e.Name, err)
			}
			l := q.losses(x)
			dist += q.fromPareto(x) / float64(len(starts))
			larger += max(l[0], l[1]) / float64(len(starts))
		}
		fmt.Printf("| %s | %.2g | %.3f |\n", e.Name, dist, larger)
	}
	printProjection()
}

// printProjection shows where projection must help: gradients in conflict, of very different lengths, in a steep valley. A plain step follows the long gradient across the valley and pays
// at the other task; the projected step moves along it. Both tasks together have a minimum that a plain sum also finds, but only with a step short enough for the steep direction.
func printProjection() {
	// L_1 is steep across (first coordinate) and L_2 shallow, with minima on either side; along the valley both fall towards 0.
	losses := func(x []float64) []float64 {
		return []float64{50*(x[0]-0.1)*(x[0]-0.1) + 0.5*x[1]*x[1], 2*(x[0]+1)*(x[0]+1) + 0.5*x[1]*x[1]}
	}
	gradients := func(x []float64) [][]float64 {
		return [][]float64{{100 * (x[0] - 0.1), x[1]}, {4 * (x[0] + 1), x[1]}}
	}
	fmt.Print("\n### Where projection must help\n\nL1 = 50 (x-0.1)^2 + y^2/2, L2 = 2 (x+1)^2 + y^2/2 from (0, 3): between the minima in x the gradients conflict and L1's is up to 25 times as long. " +
		"200 steps of constant rate; L1 + L2 at the end. A rate over 2/104 is too long for the plain sum in x; PCGrad's projections take the conflict, and with it the curvature, out of the step.\n\n")
	fmt.Println("| rate | sum | pcgrad |\n|---|---|---|")
	for _, rate := range []float64{0.005, 0.01, 0.018, 0.0193, 0.0198, 0.022} {
		fmt.Printf("| %.4g", rate)
		for _, name := range []string{"sum", "pcgrad"} {
			x, err := descend(name, []float64{0, 3}, 200, func(int) float64 { return rate }, losses, gradients, 1)
			if err != nil {
				log.Fatal(err)
			}
			l := losses(x)
			fmt.Printf(" | %.4g", l[0]+l[1])
		}
		fmt.Println(" |")
	}
}
