package main

import (
	"fmt"
	"io"
	"math"

	"artel/gradsurgery"
)

// pair is two tasks L_t = (x-c_t)^T H_t (x-c_t) / 2 in the plane. Its Pareto set is the curve x(l) = (l H_1 + (1-l) H_2)^-1 (l H_1 c_1 + (1-l) H_2 c_2), 0 <= l <= 1.
type pair struct {
	name, about string
	h           [2][3]float64 // xx, xy, yy
	c           [2][2]float64
	starts      [][2]float64
}

var (
	crossing = &pair{
		name: "two valleys", about: "two ill-conditioned quadratics whose valleys cross",
		h: [2][3]float64{{5, 2, 1.5}, {1, -0.5, 4}}, c: [2][2]float64{{-1, 0.5}, {1.5, -0.5}},
		starts: [][2]float64{{3, 3}, {-3, 2}, {0, -4}},
	}
	opposed = &pair{
		name: "steep walls", about: "L = (100 (x -+ 1)^2 + y^2) / 2: steep in x, where the tasks oppose each other, flat in y, where they agree; the Pareto set is -1 <= x <= 1, y = 0",
		h: [2][3]float64{{100, 0, 1}, {100, 0, 1}}, c: [2][2]float64{{1, 0}, {-1, 0}},
		starts: [][2]float64{{0.3, 5}, {-0.5, 3}, {0, 8}},
	}
	agreeing = &pair{
		name: "one wall", about: "the same without conflict: both tasks have their least loss at x = 1, y = 0",
		h: opposed.h, c: [2][2]float64{{1, 0}, {1, 0}}, starts: opposed.starts,
	}
)

// at returns the losses and gradients at x.
func (p *pair) at(x [2]float64) (loss [2]float64, grad [2][2]float64) {
	for t := range loss {
		u, v := x[0]-p.c[t][0], x[1]-p.c[t][1]
		grad[t] = [2]float64{p.h[t][0]*u + p.h[t][1]*v, p.h[t][1]*u + p.h[t][2]*v}
		loss[t] = (grad[t][0]*u + grad[t][1]*v) / 2
	}
	return loss, grad
}

// pareto is the point x(l).
func (p *pair) pareto(l float64) [2]float64 {
	var h [3]float64
	var b [2]float64
	for t, w := range [2]float64{l, 1 - l} {
		for i := range h {
			h[i] += w * p.h[t][i]
		}
		b[0] += w * (p.h[t][0]*p.c[t][0] + p.h[t][1]*p.c[t][1])
		b[1] += w * (p.h[t][1]*p.c[t][0] + p.h[t][2]*p.c[t][1])
	}
	det := h[0]*h[2] - h[1]*h[1]
	return [2]float64{(h[2]*b[0] - h[1]*b[1]) / det, (h[0]*b[1] - h[1]*b[0]) / det}
}

// distance is how far x is from the Pareto set, and the nearest point's l.
func (p *pair) distance(x [2]float64) (d, l float64) {
	at := func(l float64) float64 {
		q := p.pareto(l)
		return math.Hypot(x[0]-q[0], x[1]-q[1])
	}
	const n = 200
	for i := range n + 1 {
		if v := at(float64(i) / n); i == 0 || v < d {
			d, l = v, float64(i)/n
		}
	}
	a, b := max(0, l-1.0/n), min(1, l+1.0/n)
	for range 60 {
		if c, e := a+(b-a)/3, b-(b-a)/3; at(c) < at(e) {
			b = e
		} else {
			a = c
		}
	}
	return min(d, at((a+b)/2)), (a + b) / 2
}

// reach is the result of a descent at one rate: the worst over the starts.
type reach struct {
	rate  float64
	d     float64 // distance from the Pareto set at the end
	lo    float64 // least and largest place on it
	hi    float64
	steps int // until it is nearer than 1e-3 for good
}

const toySteps = 1000

// best runs a method at rates 2^-12 to 2^3 and returns the rate that reaches the Pareto set first, or comes nearest.
func (p *pair) best(name string) (top reach, err error) {
	top = reach{d: math.Inf(1), steps: math.MaxInt}
	for k := -12; k <= 3; k++ {
		r := reach{rate: math.Exp2(float64(k)), lo: 1}
		for _, x := range p.starts {
			d, err := newDescent(name)
			if err != nil {
				return top, err
			}
			last := 0
			for i := 1; i <= toySteps && math.Abs(x[0])+math.Abs(x[1]) < 1e5; i++ {
				if x, err = d.step(p, x, r.rate); err != nil {
					break // a loss of 0, which some methods refuse: the descent is over
				}
				if v, _ := p.distance(x); !(v < 1e-3) {
					last = i
				}
			}
			v, l := p.distance(x)
			if !(v < 1e4) { // it diverged
				v, last = math.Inf(1), toySteps
			}
			r.d, r.lo, r.hi, r.steps = max(r.d, v), min(r.lo, l), max(r.hi, l), max(r.steps, last+1)
		}
		if r.steps < top.steps && r.steps <= toySteps || top.steps > toySteps && r.d < top.d {
			top = r
		}
	}
	return top, nil
}

// printToys prints a table for every pair.
func printToys(w io.Writer) error {
	for _, p := range []*pair{opposed, agreeing, crossing} {
		fmt.Fprintf(w, "\n### %s\n\n%s. Gradient descent from %d points with the best rate of 2^-12 to 2^3; the worst of the points.\n\n", p.name, p.about, len(p.starts))
		fmt.Fprintf(w, "| method | rate | steps until the Pareto set is 0.001 away | distance after %d | places on the set |\n|---|---|---|---|---|\n", toySteps)
		for _, e := range gradsurgery.Entries() {
			if e.Name == "observed_sum" || e.Name == "fixed" || e.Name == "equal" || e.Name == "constant" {
				continue
			}
			if s, err := gradsurgery.New(e.Name, nil, 2, 1); err != nil || s.Needs.Saliency != nil {
				continue // Rep-MTL regularises gradients at an activation, of which there is none
			}
			r, err := p.best(e.Name)
			if err != nil {
				return fmt.Errorf("%s: %w", e.Name, err)
			}
			steps := fmt.Sprint(r.steps)
			if r.steps > toySteps {
				steps = "never"
			}
			fmt.Fprintf(w, "| %s | %.4g | %s | %.1e | %.3f to %.3f |\n", e.Name, r.rate, steps, r.d, r.lo, r.hi)
		}
	}
	return nil
}
