package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
)

// rank is a method's place among the methods of every problem.
type rank struct {
	name   string
	mean   float64
	scores []string
	wins   int // problems where it is better than the tuned fixed weights, seed by seed
	losses int
}

// printSummary prints the mean rank of every method over the problems, and its mean relative improvement in each.
func (s *suite) printSummary(w io.Writer) error {
	var out []rank
	for _, m := range s.methods {
		out = append(out, rank{name: m.name})
	}
	for _, p := range s.problems {
		lines, err := s.lines(p)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(lines, func(l line) bool { return l.method.name == tunedName })
		for i := range out {
			r := &out[i]
			k := slices.IndexFunc(lines, func(l line) bool { return l.method.name == r.name })
			if k < 0 {
				return fmt.Errorf("%s has no runs of %s", r.name, p.name)
			}
			r.mean += float64(k+1) / float64(len(s.problems))
			if len(lines[k].tasks) == 0 {
				r.scores = append(r.scores, "no answer")
				continue
			}
			r.scores = append(r.scores, spread(lines[k].tasks))
			switch d := paired(lines[k].tasks, lines[at].tasks); {
			case d > 0:
				r.wins++
			case d < 0:
				r.losses++
			}
		}
	}
	slices.SortStableFunc(out, func(a, b rank) int { return cmp.Compare(a.mean, b.mean) })
	fmt.Fprint(w, "\n### Over all problems\n\n| method | mean rank | better / worse than tuned weights |")
	for _, p := range s.problems {
		fmt.Fprintf(w, " %s |", p.name)
	}
	fmt.Fprint(w, "\n|---|---|---|")
	for range s.problems {
		fmt.Fprint(w, "---|")
	}
	fmt.Fprintln(w)
	for _, r := range out {
		fmt.Fprintf(w, "| %s | %.1f | %d / %d |", r.name, r.mean, r.wins, r.losses)
		for _, v := range r.scores {
			fmt.Fprintf(w, " %s |", v)
		}
		fmt.Fprintln(w)
	}
	return nil
}

// paired compares results of the same seeds: 1 or -1 where their mean difference is not 0 at the level of 5 % (two-sided t test), 0 elsewhere.
func paired(a, b []float64) int {
	quantile := []float64{1: 12.71, 2: 4.303, 3: 3.182, 4: 2.776} // by degrees of freedom
	n := len(a)
	if n != len(b) || n < 2 || n-1 >= len(quantile) {
		return 0
	}
	d := make([]float64, n)
	for i := range d {
		d[i] = a[i] - b[i]
	}
	mean, std := moments(d)
	switch limit := quantile[n-1] * std / math.Sqrt(float64(n)); {
	case mean > limit:
		return 1
	case mean < -limit:
		return -1
	}
	return 0
}
