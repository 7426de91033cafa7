package report

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"sort"

	"github.com/pkg/errors"
)

// line is what a line of metrics.jsonl may hold.
type line struct {
	Step    int64                         `json:"step"`
	Seconds float64                       `json:"seconds"`
	Loss    map[string]float64            `json:"loss"`
	Eval    map[string]map[string]float64 `json:"eval"`
}

// Write draws the curves of the run in dir: training loss and accuracy (or the first metric there is) over seconds of training. It writes curves.svg there.
func Write(dir string) error {
	f, err := os.Open(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		return err
	}
	defer f.Close()
	loss := Chart{Title: "Training loss", XLabel: "seconds of training", YLabel: "loss (log scale)", LogY: true}
	score := Chart{Title: "Test accuracy", XLabel: "seconds of training", YLabel: "accuracy, %"}
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<24)
	for n := 1; s.Scan(); n++ {
		var l line
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			return errors.Wrapf(err, "report: %s:%d", f.Name(), n)
		}
		for _, t := range sorted(l.Loss) {
			loss.add(t, l.Seconds, l.Loss[t])
		}
		for _, t := range sorted(l.Eval) {
			if a, ok := l.Eval[t]["accuracy"]; ok {
				score.add(t, l.Seconds, 100*a)
			}
		}
	}
	if err := s.Err(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "curves.svg"), SVG(score, loss), 0o666)
}

// add appends a point to the curve called name.
func (c *Chart) add(name string, x, y float64) {
	for i := range c.Series {
		if s := &c.Series[i]; s.Name == name {
			s.X, s.Y = append(s.X, x), append(s.Y, y)
			return
		}
	}
	c.Series = append(c.Series, Series{name, []float64{x}, []float64{y}})
}

func sorted[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
