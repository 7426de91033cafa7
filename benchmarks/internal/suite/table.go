package suite

import (
	"fmt"
	"strings"

	"artel/benchmarks/internal/bench"
)

// Best returns the fastest case by its median, of those that keep says, or nil.
func (o *Outcome) Best(keep func(r *bench.Result) bool) *bench.Result {
	var best *bench.Result
	for i := range o.Results {
		r := &o.Results[i]
		if r.MedianMS > 0 && keep(r) && (best == nil || r.MedianMS < best.MedianMS) {
			best = r
		}
	}
	return best
}

// Ours is Artel's case of the same work as the others, or nil when it failed.
func (o *Outcome) Ours() *bench.Result {
	if len(o.Results) == 0 || o.Results[0].MedianMS == 0 {
		return nil
	}
	return &o.Results[0]
}

// Peer tells whether a result is somebody else's.
func Peer(r *bench.Result) bool { return r.System != "Artel" && r.System != "disk" }

// column is a column of a table; a column that is empty everywhere is left out.
type column struct {
	head string
	cell func(o *Outcome, r *bench.Result) string
}

var columns = []column{
	{"implementation", func(_ *Outcome, r *bench.Result) string {
		if r.Way != "" {
			return r.Name + " (" + r.Way + ")"
		}
		return r.Name
	}},
	{"ms, median (least)", func(_ *Outcome, r *bench.Result) string {
		if r.Error != "" {
			return fmt.Sprintf("not timed: %.200s", r.Error)
		}
		return fmt.Sprintf("%s (%s)", digits(r.MedianMS), digits(r.MinMS))
	}},
	{"of Artel's time", func(o *Outcome, r *bench.Result) string {
		if ours := o.Ours(); ours != nil && r.MedianMS > 0 {
			return fmt.Sprintf("%.2f", r.MedianMS/ours.MedianMS)
		}
		return ""
	}},
	{"GFLOP/s", func(_ *Outcome, r *bench.Result) string { return number("%.0f", r.Gflops) }},
	{"of the peak", func(o *Outcome, r *bench.Result) string {
		if p := o.peak(); p > 0 && r.Gflops > 0 {
			return fmt.Sprintf("%.0f %%", 100*r.Gflops/p)
		}
		return ""
	}},
	{"MB/s", func(_ *Outcome, r *bench.Result) string { return number("%.0f", 1e3*r.GBPerS) }},
	{"of the disk", func(o *Outcome, r *bench.Result) string {
		disk := o.Best(func(r *bench.Result) bool { return r.System == "disk" })
		if disk == nil || r.MedianMS == 0 {
			return ""
		}
		return fmt.Sprintf("%.0f %%", 100*disk.MedianMS/r.MedianMS)
	}},
	{"saved MiB", func(_ *Outcome, r *bench.Result) string { return number("%.1f", r.SavedMB) }},
	{"peak RSS MiB", func(_ *Outcome, r *bench.Result) string { return number("%.0f", r.PeakRSSMB) }},
	{"answers apart", func(_ *Outcome, r *bench.Result) string { return number("%.0e", r.Apart) }},
	{"foreign CPU s", func(o *Outcome, r *bench.Result) string {
		if o.Ours() != r || r.ForeignS == 0 {
			return ""
		}
		return fmt.Sprintf("%.2f of %.1f", r.ForeignS, r.ForeignS/r.ForeignCPUs)
	}},
}

func number(format string, v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf(format, v)
}

// peak is the measured peak of the processor beside Artel's case, GFLOP/s.
func (o *Outcome) peak() float64 {
	if len(o.Results) == 0 {
		return 0
	}
	return o.Results[0].Peak
}

// Table is the outcome in Markdown.
func (o *Outcome) Table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n", o.Title)
	if p := o.peak(); p > 0 && o.Part != "step" {
		fmt.Fprintf(&b, "Measured peak: %.0f GFLOP/s.\n\n", p)
	}
	var cells [][]string
	var heads []string
	for _, c := range columns {
		column, any := make([]string, len(o.Results)), false
		for i := range o.Results {
			column[i] = c.cell(o, &o.Results[i])
			any = any || column[i] != ""
		}
		if any {
			heads, cells = append(heads, c.head), append(cells, column)
		}
	}
	fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(heads, " | "), strings.Repeat("---|", len(heads)))
	for i := range o.Results {
		row := make([]string, len(cells))
		for k := range cells {
			row[k] = cells[k][i]
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
	}
	return b.String()
}

// digits is a number with four digits, or all before the point.
func digits(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.4g", v)
}
