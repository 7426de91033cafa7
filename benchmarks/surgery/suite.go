package main

import (
	"fmt"
	"slices"
	"strings"

	"artel/gradsurgery"
	"artel/rng"
)

// suite is all that is run.
type suite struct {
	out, only, method, yeast string
	problems                 []*problem
	methods                  []method
}

// method is a line of the tables.
type method struct {
	name string
	args []string
}

const (
	seeds  = 5
	trials = 40 // of the search for fixed weights
)

func (s *suite) prepare() error {
	all, err := problems(s.yeast)
	if err != nil {
		return err
	}
	var names []string
	for _, p := range all {
		names = append(names, p.name)
		if s.only == "" || s.only == p.name {
			s.problems = append(s.problems, p)
		}
	}
	if len(s.problems) == 0 {
		return fmt.Errorf("no problem %q, want one of %s", s.only, strings.Join(names, ", "))
	}
	for _, e := range gradsurgery.Entries() {
		if e.Name == "constant" || e.Name == "fixed" || e.Name == "equal" {
			continue // they are sum by default
		}
		m := method{e.Name, []string{"surgery.method=" + e.Name}}
		if e.Name == "rep_mtl" { // it works at an activation
			m = method{"rep_mtl at the last activation", append(m.args, "surgery.at=final")}
		}
		s.methods = append(s.methods, m)
	}
	s.methods = append(s.methods,
		method{"mgda at the last activation (UB)", []string{"surgery.method=mgda", "surgery.at=final"}},
		method{"aligned_mtl at the last activation (UB)", []string{"surgery.method=aligned_mtl", "surgery.at=final"}},
		method{"rotograd at the last activation", []string{"surgery.method=rotograd", "surgery.at=final"}},
		method{"pcgrad by layer", []string{"surgery.method=pcgrad", "surgery.groups=layer"}},
		method{"pcgrad every 5 steps", []string{"surgery.method=pcgrad", "surgery.every=5"}},
		method{"observed_sum, sparse 0.3", []string{"surgery.method=observed_sum", "surgery.sparse=0.3"}},
		method{"observed_sum, sparse 0.6", []string{"surgery.method=observed_sum", "surgery.sparse=0.6"}},
		method{"pcgrad, sparse 0.3", []string{"surgery.method=pcgrad", "surgery.sparse=0.3"}},
	)
	if s.method != "" {
		s.methods = slices.DeleteFunc(s.methods, func(m method) bool { return m.name != s.method })
	}
	return nil
}

// all runs everything that is not there yet.
func (s *suite) all() error {
	for _, p := range s.problems {
		if s.method == "" {
			for seed := 1; seed <= seeds; seed++ {
				if _, err := s.single(p, seed); err != nil {
					return err
				}
			}
			if err := s.tune(p); err != nil {
				return err
			}
		}
		for _, m := range s.methods {
			for seed := 1; seed <= seeds; seed++ {
				if _, err := s.do(job{p: p, name: m.name, args: m.args, seed: seed}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// single returns the metrics of single-task models, one run for every task.
func (s *suite) single(p *problem, seed int) (map[string]map[string]float64, error) {
	out := map[string]map[string]float64{}
	for i, t := range p.tasks {
		w := make([]float64, len(p.tasks))
		w[i] = 1
		r, err := s.do(job{p: p, name: "single " + t, args: fixed(w), seed: seed})
		if err != nil {
			return nil, err
		}
		out[t] = r.Metrics[t]
	}
	return out, nil
}

// fixed is the arguments for fixed weights.
func fixed(w []float64) []string {
	return []string{fmt.Sprintf("surgery.method={name: constant, weights: %s}", strings.ReplaceAll(fmt.Sprintf("%.4g", w), " ", ", "))}
}

// tunedName is the line of the fixed weights that tune has found.
const tunedName = "tuned fixed weights"

// tune searches for fixed weights by the mean relative improvement over equal ones on held-out training examples of seed 1.
func (s *suite) tune(p *problem) error {
	search, err := gradsurgery.NewSearch(len(p.tasks), trials, rng.New(5).Sub(p.name))
	if err != nil {
		return err
	}
	var equal *result
	for i, w := 0, search.Next(); w != nil; i, w = i+1, search.Next() {
		out, err := s.do(job{p: p, name: fmt.Sprint("trial ", i), args: fixed(w), seed: 1, tuning: true})
		if err != nil {
			return err
		}
		if i == 0 {
			equal = out
		}
		d, _ := p.improvement(out.Metrics, equal.Metrics)
		search.Tell(d)
	}
	choice, _ := search.Best()
	s.methods = slices.DeleteFunc(s.methods, func(m method) bool { return m.name == tunedName })
	s.methods = append(s.methods, method{tunedName, fixed(choice)})
	return nil
}
