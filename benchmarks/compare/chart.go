package main

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"artel/benchmarks/internal/bench"
	"artel/benchmarks/internal/suite"
)

// Size of the chart in pixels: labels on the left, a bar per system, groups apart.
const (
	chartWidth = 900
	labelWidth = 250
	barHeight  = 12
	groupGap   = 10
	headHeight = 62
	footHeight = 34
	unit       = 400 // pixels for the speed of Artel
	most       = 1.2 // longest bar, in speeds of Artel
)

// style makes the chart readable on light and on dark pages; it has a background of its own.
const style = `<style>
.page{fill:#ffffff}.text{fill:#1f2328}.dim{fill:#59636e}.grid{stroke:#d1d9e0}.one{stroke:#59636e}
.ours{fill:#0969da}.tuned{fill:#bc4c00}.shipped{fill:#d9a05b}
@media (prefers-color-scheme: dark){.page{fill:#0d1117}.text{fill:#e6edf3}.dim{fill:#9198a1}.grid{stroke:#30363d}.one{stroke:#9198a1}
.ours{fill:#4493f8}.tuned{fill:#f0883e}.shipped{fill:#9e6a2f}}
</style>
`

// bar is one system's speed in a group.
type bar struct {
	class string
	r     *bench.Result
}

// charted leaves to the chart and to the README what fits one picture: all but most of the products.
func charted(what string) bool {
	return !strings.HasPrefix(what, "product") || strings.Contains(what, "2048 x 2048") || strings.HasPrefix(what, "product 64 ")
}

// chart draws speeds relative to Artel's, larger is faster.
func (r *report) chart() []byte {
	var body bytes.Buffer
	y := headHeight
	for _, l := range r.lines() {
		if !charted(l.what) {
			continue
		}
		bars := []bar{{"ours", l.ours}, {"tuned", l.tuned}}
		if l.shipped != nil && l.shipped != l.tuned {
			bars = append(bars, bar{"shipped", l.shipped})
		}
		fmt.Fprintf(&body, `<text class="text" x="%d" y="%d" text-anchor="end">%s</text>`+"\n", labelWidth-10, y+barHeight*len(bars)/2+4, html.EscapeString(l.what))
		for _, b := range bars {
			speed := l.ours.MedianMS / b.r.MedianMS
			w, label := min(speed, most)*unit, milliseconds(b.r)+" ms"
			if b.class != "ours" {
				label += fmt.Sprintf(", %s (%.2f)", short(b.r), speed)
			}
			fmt.Fprintf(&body, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d"/><text class="dim" x="%.1f" y="%d" font-size="10">%s</text>`+"\n",
				b.class, labelWidth, y+1, w, barHeight-2, labelWidth+w+5, y+barHeight-3, html.EscapeString(label))
			y += barHeight
		}
		y += groupGap
	}
	height := y + footHeight
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="Helvetica, Arial, sans-serif" font-size="12">`+"\n%s", chartWidth, height, chartWidth, height, style)
	fmt.Fprintf(&b, `<rect class="page" width="%d" height="%d"/><text class="text" x="16" y="24" font-size="15" font-weight="bold">Speed relative to Artel; longer is faster</text>`+"\n", chartWidth, height)
	x := 16
	for _, k := range [][2]string{{"ours", "Artel"}, {"tuned", "fastest peer, tuned"}, {"shipped", "fastest as shipped"}} {
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="36" width="12" height="10"/><text class="dim" x="%d" y="45">%s</text>`+"\n", k[0], x, x+17, k[1])
		x += 40 + 7*len(k[1])
	}
	for i := 1; i <= 4; i++ {
		at, class := labelWidth+unit*i/4, "grid"
		if i == 4 {
			class = "one"
		}
		fmt.Fprintf(&b, `<line class="%s" x1="%d" x2="%d" y1="%d" y2="%d"/><text class="dim" x="%d" y="%d" text-anchor="middle" font-size="10">%.2f</text>`+"\n", class, at, at, headHeight-8, y-groupGap+4, at, y+6, float64(i)/4)
	}
	b.Write(body.Bytes())
	fmt.Fprintf(&b, `<text class="dim" x="16" y="%d" font-size="10">%s</text>`+"\n</svg>\n", height-10, html.EscapeString(fmt.Sprintf("%s, commit %s, %s", r.Machine, r.Commit, r.Date)))
	return b.Bytes()
}

// milliseconds is a median with three digits or all before the point.
func milliseconds(r *bench.Result) string {
	if r.MedianMS >= 1000 {
		return fmt.Sprintf("%.0f", r.MedianMS)
	}
	return fmt.Sprintf("%.3g", r.MedianMS)
}

// short is a system's name in a chart.
func short(r *bench.Result) string {
	name, _, _ := strings.Cut(r.Name, ",")
	if suite.Peer(r) && strings.Contains(r.Name, "compiled") {
		name += ", compiled"
	}
	return name
}
