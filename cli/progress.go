package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"artel/engine"
)

// progress shows a run: one live line on a terminal, plain lines otherwise.
type progress struct {
	w     io.Writer
	live  bool
	tasks []string
	every int64
	last  time.Time
	width int
	line  strings.Builder
}

func newProgress(w io.Writer, tasks []string, every int64) *progress {
	p := &progress{w: w, tasks: tasks, every: every}
	if f, ok := w.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
			p.live = true
		}
	}
	return p
}

// step hears of every step; the live line is drawn ten times a second at most.
func (p *progress) step(s *engine.Progress) {
	due := s.Step%p.every == 0 || s.Step == 1
	if p.live {
		due = time.Since(p.last) > 100*time.Millisecond || s.Step == s.Steps
	}
	if !due {
		return
	}
	p.last = time.Now()
	b := &p.line
	b.Reset()
	fmt.Fprintf(b, "step %d/%d  loss", s.Step, s.Steps)
	for _, t := range p.tasks {
		fmt.Fprintf(b, " %s %.3f", t, s.Losses[t])
	}
	left := time.Duration(float64(s.Steps-s.Step) / float64(max(s.Step, 1)) * s.Seconds * float64(time.Second))
	fmt.Fprintf(b, "  %.0f rows/s  %.1f s, %v left", s.RowsPerSec, s.Seconds, left.Round(time.Second))
	p.print(b.String())
}

// print writes a line, over the last one on a terminal.
func (p *progress) print(s string) {
	if !p.live {
		fmt.Fprintln(p.w, s)
		return
	}
	pad := max(0, p.width-len(s))
	p.width = len(s)
	fmt.Fprintf(p.w, "\r%s%s", s, strings.Repeat(" ", pad))
}

// eval shows an evaluation on a line of its own.
func (p *progress) eval(step int64, seconds float64, text string) {
	p.print(fmt.Sprintf("eval %d  %s  (%.1f s)", step, text, seconds))
	p.done()
}

// done ends the live line.
func (p *progress) done() {
	if p.live && p.width > 0 {
		fmt.Fprintln(p.w)
		p.width = 0
	}
}
