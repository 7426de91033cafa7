package suite

import (
	"fmt"
	"os"
	"path/filepath"

	"artel/benchmarks/internal/bench"
	"artel/benchmarks/internal/numbers"
)

// Group is cases that run side by side and do the same work. The first one is Artel's.
type Group struct {
	Part  string // "layer"
	Title string // "A f32"
	Cases []bench.Case
	Plan  bench.Plan
	Check *Check // nil: the cases compute nothing that could be compared
}

// Check compares answers with those of the first case.
type Check struct {
	Numbers func(path string) error // writes the operands; nil: the first case writes them itself
	Most    float64                 // largest relative distance of an answer
	Extra   map[string]any          // what the case is told besides
}

// Outcome is the results of a group, in the order of its cases.
type Outcome struct {
	Part, Title string
	Results     []bench.Result
}

// Run compares the answers of the group's cases and then times them.
func (t *Tools) Run(g Group) Outcome {
	defer t.On.Give()
	if g.Check != nil && len(g.Cases) > 1 {
		t.check(&g)
	}
	g.Plan.On = t.On
	o := Outcome{g.Part, g.Title, bench.Drive(g.Cases, g.Plan)}
	for i := range o.Results { // what concerns only the machine at hand
		delete(o.Results[i].Config, "command")
		delete(o.Results[i].Config, "dir")
	}
	return o
}

// check marks every case whose answers are not those of the first one. Nothing is said about the first one's: other tests of the project do that.
func (t *Tools) check(g *Group) {
	dir, err := os.MkdirTemp(t.Dir, "check")
	if err != nil {
		g.refuse(0, err.Error())
		return
	}
	defer os.RemoveAll(dir)
	weights := filepath.Join(dir, "weights.safetensors")
	if g.Check.Numbers != nil {
		if err := g.Check.Numbers(weights); err != nil {
			g.refuse(0, err.Error())
			return
		}
	}
	answers := func(i int) string { return filepath.Join(dir, fmt.Sprint("answers", i, ".safetensors")) }
	for i := range g.Cases {
		c := g.Cases[i]
		if c.Other || c.Refused != "" {
			continue
		}
		c.Config = map[string]any{"weights": weights, "answers": answers(i)}
		for _, m := range []map[string]any{g.Cases[i].Config, g.Check.Extra, {"warm": 0}} {
			for k, v := range m {
				c.Config[k] = v
			}
		}
		if err := t.On.Pause(); err != nil {
			g.refuse(i, err.Error())
			return
		}
		_, err := bench.Prepare(c)
		if err != nil {
			g.Cases[i].Refused = err.Error()
			if i == 0 {
				g.refuse(1, "no answers of Artel's to compare with: "+err.Error())
				return
			}
			continue
		}
		if i == 0 {
			continue
		}
		d, err := numbers.Distance(answers(i), answers(0))
		switch {
		case err != nil:
			g.Cases[i].Refused = "its answers cannot be compared: " + err.Error()
		case !(d <= g.Check.Most):
			g.Cases[i].Refused = fmt.Sprintf("its answers differ by %.2g, more than %g", d, g.Check.Most)
		}
		if g.Cases[i].Refused != "" {
			fmt.Fprintf(os.Stderr, "%s %s: %s: %s\n", g.Part, g.Title, c.Name, g.Cases[i].Refused)
		} else {
			g.Cases[i].Apart = d
		}
		os.Remove(answers(i))
	}
}

// refuse keeps the cases from the i-th one on from being timed.
func (g *Group) refuse(i int, why string) {
	for ; i < len(g.Cases); i++ {
		g.Cases[i].Refused = why
	}
}

// own is one of Artel's cases.
func (t *Tools) own(command, name string, config map[string]any) (bench.Case, error) {
	path, err := t.Own(command)
	return bench.Case{Name: name, System: "Artel", Command: []string{path}, Config: config}, err
}
