package cli

import (
	"fmt"
	"text/tabwriter"

	"artel/engine"
)

// conflictLine is the share of pairs of tasks whose gradients had a negative inner product, over the logged steps of a run.
type conflictLine struct {
	Unit  string  `json:"unit"`
	Part  string  `json:"part,omitempty"` // a layer or an expert of the unit
	Steps int     `json:"steps"`
	Share float64 `json:"share"`
}

// incidence gathers the conflicts of a run.
type incidence struct{ lines []conflictLine }

func (c *incidence) add(s *engine.StepLine) {
	for _, u := range s.Units {
		c.count(u.Name, "", u.Conflicts)
		for _, p := range u.Parts {
			c.count(u.Name, p.Name, p.Conflicts)
		}
	}
}

// count moves the mean of a unit or part on.
func (c *incidence) count(unit, part string, share float64) {
	for i := range c.lines {
		if l := &c.lines[i]; l.Unit == unit && l.Part == part {
			l.Steps++
			l.Share += (share - l.Share) / float64(l.Steps)
			return
		}
	}
	c.lines = append(c.lines, conflictLine{unit, part, 1, share})
}

// conflicts prints, unit by unit, the cosines between task gradients with the weights chosen, and how often tasks were in conflict, by layer and expert.
func (a *app) conflicts(s *engine.StepLine, run []conflictLine) {
	if len(s.Units) == 0 {
		fmt.Fprintln(a.out, "the run's method reads losses only: there are no task gradients to compare")
	}
	for _, u := range s.Units {
		fmt.Fprintf(a.out, "unit %s, %s, step %d: cosines between task gradients\n", u.Name, u.Method, s.Step)
		w := tabwriter.NewWriter(a.out, 2, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprint(w, "\t")
		for _, t := range u.Tasks {
			fmt.Fprintf(w, "%s\t", t)
		}
		fmt.Fprintln(w, "weight\t")
		for i, t := range u.Tasks {
			fmt.Fprintf(w, "%s\t", t)
			for j := range u.Tasks {
				fmt.Fprintf(w, "%+.3f\t", u.Cosine(i, j))
			}
			fmt.Fprintf(w, "%.3f\t\n", u.Weights[i])
		}
		w.Flush()
		fmt.Fprintln(a.out, "pairs in conflict")
		w = tabwriter.NewWriter(a.out, 2, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(w, "\tthis step\tlogged steps\t")
		for _, l := range run {
			if l.Unit != u.Name {
				continue
			}
			name, now := "the unit", u.Conflicts
			if l.Part != "" {
				name, now = l.Part, u.Part(l.Part).Conflicts
			}
			fmt.Fprintf(w, "%s\t%.0f %%\t%.0f %%\t\n", name, 100*now, 100*l.Share)
		}
		w.Flush()
	}
}
