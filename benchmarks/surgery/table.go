package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// line is a method's results on a problem, one number per seed.
type line struct {
	method   method
	tasks    []float64 // mean relative improvement over single-task models, mean over tasks of the mean over metrics, percent; higher is better
	metrics  []float64 // mean relative change over all metrics, percent; lower is better
	worst    []float64 // the least improvement of a task, percent
	conflict []float64
	failed   string
}

// rises tells whether a metric gets better when it grows.
func rises(metric string) bool { return metric == "accuracy" || metric == "r2" }

// improvement compares metrics with a base: the mean over tasks and the least of the tasks' improvements, percent. An improvement is (base - value) / base for errors and losses.
func (p *problem) improvement(got, base map[string]map[string]float64) (mean, worst float64) {
	worst = math.Inf(1)
	for _, t := range p.tasks {
		var d float64
		metrics := p.of(t)
		for _, m := range metrics {
			d += change(m, got[t][m], base[t][m]) / float64(len(metrics))
		}
		mean += d / float64(len(p.tasks))
		worst = min(worst, d)
	}
	return mean, worst
}

// of lists the metrics of a task.
func (p *problem) of(task string) []string {
	if m := p.metrics[task]; m != nil {
		return m
	}
	return p.metrics[""]
}

func change(metric string, got, base float64) float64 {
	d := 100 * (got - base) / base
	if rises(metric) {
		return d
	}
	return -d
}

// lines collects the finished runs of a problem, best first.
func (s *suite) lines(p *problem) ([]line, error) {
	var out []line
	for _, m := range s.methods {
		l := line{method: m}
		for seed := 1; seed <= seeds; seed++ {
			path := filepath.Join(s.out, p.name, fmt.Sprintf("%s-%d.json", strings.ReplaceAll(m.name, "/", "-"), seed))
			if _, err := os.Stat(path); err != nil {
				continue
			}
			r, err := s.do(job{p: p, name: m.name, args: m.args, seed: seed})
			if err != nil {
				return nil, err
			}
			if r.Error != "" {
				l.failed = r.Error
				continue
			}
			base, err := s.single(p, seed)
			if err != nil {
				return nil, err
			}
			mean, worst := p.improvement(r.Metrics, base)
			l.tasks, l.metrics, l.worst = append(l.tasks, mean), append(l.metrics, p.overMetrics(r.Metrics, base)), append(l.worst, worst)
			if r.Conflicts >= 0 {
				l.conflict = append(l.conflict, 100*r.Conflicts)
			}
		}
		if len(l.tasks) > 0 || l.failed != "" {
			out = append(out, l)
		}
	}
	slices.SortStableFunc(out, func(a, b line) int { return cmp.Compare(b.score(), a.score()) })
	return out, nil
}

func (l *line) score() float64 {
	if len(l.tasks) == 0 {
		return math.Inf(-1)
	}
	m, _ := moments(l.tasks)
	return m
}

// overMetrics is the mean change over all metrics of all tasks, lower is better.
func (p *problem) overMetrics(got, base map[string]map[string]float64) (sum float64) {
	n := 0.0
	for _, t := range p.tasks {
		for _, m := range p.of(t) {
			sum -= change(m, got[t][m], base[t][m])
			n++
		}
	}
	return sum / n
}

// printTable prints a problem's table.
func (s *suite) printTable(w io.Writer, p *problem) error {
	if err := s.tune(p); err != nil {
		return err
	}
	lines, err := s.lines(p)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n### %s\n\n%s.\n\n", p.name, p.about)
	fmt.Fprintf(w, "| method | seeds | Δp %% (task mean, higher is better) | Δm %% (metric mean, lower is better) | worst task %% | conflicts %% |\n|---|---|---|---|---|---|\n")
	for _, l := range lines {
		if l.failed != "" && len(l.tasks) == 0 {
			fmt.Fprintf(w, "| %s | 0 | no answer: %s | | | |\n", l.method.name, l.failed)
			continue
		}
		conflicts := ""
		if len(l.conflict) > 0 {
			conflicts = spread(l.conflict)
		}
		fmt.Fprintf(w, "| %s | %d | %s | %s | %s | %s |\n", l.method.name, len(l.tasks), spread(l.tasks), spread(l.metrics), spread(l.worst), conflicts)
	}
	return nil
}

func moments(x []float64) (mean, std float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		std += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(std / math.Max(1, float64(len(x)-1)))
}

func spread(x []float64) string {
	mean, std := moments(x)
	return fmt.Sprintf("%.2f ± %.2f", mean, std)
}
