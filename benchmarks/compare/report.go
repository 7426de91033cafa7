package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"artel/benchmarks/internal/bench"
	"artel/benchmarks/internal/suite"
)

// report is everything that a run found.
type report struct {
	Date, Commit, Machine, Command string
	Versions                       map[string]string
	Notes                          []string
	BinaryMB                       float64
	Outcomes                       []suite.Outcome
}

func read(path string) (*report, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r report
	return &r, json.Unmarshal(raw, &r)
}

// write makes path.json, path.md and path.svg, and replaces the summary in readme unless that is empty.
func (r *report) write(path, readme string) error {
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	files := map[string][]byte{".json": append(raw, '\n'), ".md": r.markdown(filepath.Base(path) + ".svg"), ".svg": r.chart()}
	for suffix, data := range files {
		if err := os.WriteFile(path+suffix, data, 0o644); err != nil {
			return err
		}
	}
	if readme == "" {
		return nil
	}
	return r.insert(readme, path)
}

func (r *report) markdown(chart string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Comparison of %s\n\n%s. Commit %s. `%s` in `benchmarks`.\n\n", r.Date, r.Machine, r.Commit, strings.TrimSpace(r.Command))
	var versions []string
	for _, name := range slices.Sorted(maps.Keys(r.Versions)) {
		versions = append(versions, name+" "+r.Versions[name])
	}
	fmt.Fprintf(&b, "%s.\n\n", strings.Join(versions, ", "))
	b.WriteString("The cases of a table took turns in one run; medians count, the least time is in brackets. Every other engine's answers were compared with Artel's first (largest relative distance of an answer in the\n" +
		"column \"answers apart\"). GFLOP/s count what a sparse layer needs, whatever is executed. Foreign: processor seconds that other processes used meanwhile, of the seconds that the table took.\n")
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\n%s\n", n)
	}
	fmt.Fprintf(&b, "\n![Speed relative to Artel](%s)\n\n%s", chart, r.summary(func(string) bool { return true }))
	if r.BinaryMB > 0 {
		fmt.Fprintf(&b, "\nThe stripped binary of `train`: %.1f MiB.\n", r.BinaryMB)
	}
	part := ""
	for i := range r.Outcomes {
		o := &r.Outcomes[i]
		if o.Part != part {
			part = o.Part
			fmt.Fprintf(&b, "\n## %s\n", map[string]string{
				"kernels": "Matrix products", "layer": "A mixture layer, forward and backward", "rivals": "Engines in Go", "step": "A training step, 1,024 rows",
				"checkpoint": "One gigabyte to disk and back", "startup": "From process start",
			}[part])
		}
		b.WriteString(o.Table())
	}
	return b.Bytes()
}

// line is one comparison of the summary: Artel against the best peer that was tuned and against the best as installed.
type line struct {
	what                 string
	ours, tuned, shipped *bench.Result
	peak                 float64
}

// lines are the comparisons that have a peer.
func (r *report) lines() (out []line) {
	for i := range r.Outcomes {
		o := &r.Outcomes[i]
		if o.Part == "rivals" || o.Ours() == nil {
			continue
		}
		l := line{what: title(o), ours: o.Ours()}
		l.tuned = o.Best(suite.Peer)
		l.shipped = o.Best(func(x *bench.Result) bool { return suite.Peer(x) && x.Config["tuned"] == nil && o.Part == "layer" })
		if l.tuned != nil {
			out = append(out, l)
		}
	}
	return out
}

// title is an outcome in a few words.
func title(o *suite.Outcome) string {
	switch o.Part {
	case "kernels":
		return "product " + o.Title
	case "layer":
		return "mixture layer " + o.Title
	case "step":
		return "training step, " + o.Title
	case "startup":
		return "process start to first step"
	}
	return o.Title
}

// summary is a table of the comparisons with peers that keep says, by their titles.
func (r *report) summary(keep func(what string) bool) string {
	var b strings.Builder
	b.WriteString("| | Artel, ms | fastest peer, ms | Artel is | as shipped, ms |\n|---|---|---|---|---|\n")
	for _, l := range r.lines() {
		if !keep(l.what) {
			continue
		}
		shipped := ""
		if l.shipped != nil {
			shipped = milliseconds(l.shipped)
		}
		fmt.Fprintf(&b, "| %s | %s | %s (%s) | %.2f x as fast | %s |\n", l.what, milliseconds(l.ours), milliseconds(l.tuned), l.tuned.Name, l.tuned.MedianMS/l.ours.MedianMS, shipped)
	}
	return b.String()
}

// The marks around what insert replaces.
const (
	begin = "<!-- comparison -->"
	end   = "<!-- end of comparison -->"
)

// insert puts chart and summary between the marks in a Markdown file; the chart's path is relative to the file.
func (r *report) insert(readme, path string) error {
	raw, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(raw), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s: no lines %q and %q", readme, begin, end)
	}
	from, err := filepath.Abs(filepath.Dir(readme))
	if err != nil {
		return err
	}
	to, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(from, to)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s\n![Speed relative to Artel, larger is faster](%s.svg)\n\n%s\n[All figures](%s.md), %s, commit %s.\n%s", begin, rel, r.summary(charted), rel, r.Date, r.Commit, end)
	return os.WriteFile(readme, []byte(before+text+after), 0o644)
}
