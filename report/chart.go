package report

import (
	"bytes"
	"fmt"
	"math"
	"strings"
)

// Series is one curve.
type Series struct {
	Name string
	X, Y []float64
}

// Chart is a panel of curves over a common x axis.
type Chart struct {
	Title          string
	XLabel, YLabel string
	LogY           bool
	Series         []Series
}

// Size of a panel in pixels, and the room around the plot.
const (
	panelW, panelH           = 500, 300
	left, right, top, bottom = 56, 100, 34, 44 // the legend stands on the right
)

// palette is told apart by readers with colour-vision deficiencies (Okabe & Ito 2008).
var palette = [...]string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#b8a800"}

// SVG draws charts side by side.
func SVG(charts ...Chart) []byte {
	var b bytes.Buffer
	w := panelW * len(charts)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="Helvetica, Arial, sans-serif" font-size="12">`+"\n", w, panelH, w, panelH)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", w, panelH)
	for i, c := range charts {
		fmt.Fprintf(&b, `<g transform="translate(%d,0)">`+"\n", i*panelW)
		c.draw(&b)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// scale maps values to pixels.
type scale struct {
	lo, hi   float64
	from, to float64
	log      bool
}

func (s scale) at(v float64) float64 {
	if s.log {
		v = math.Log10(v)
	}
	return s.from + (v-s.lo)/(s.hi-s.lo)*(s.to-s.from)
}

// bounds are the smallest and largest finite values, widened to be apart.
func bounds(log bool, values func(Series) []float64, series []Series) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, s := range series {
		for _, v := range values(s) {
			if log {
				v = math.Log10(v)
			}
			if v-v == 0 {
				lo, hi = math.Min(lo, v), math.Max(hi, v)
			}
		}
	}
	if lo > hi {
		return 0, 1
	}
	if hi-lo < 1e-9*math.Max(1, math.Abs(hi)) {
		return lo - 0.5, hi + 0.5
	}
	return lo, hi
}

func (c *Chart) draw(b *bytes.Buffer) {
	xlo, xhi := bounds(false, func(s Series) []float64 { return s.X }, c.Series)
	ylo, yhi := bounds(c.LogY, func(s Series) []float64 { return s.Y }, c.Series)
	pad := (yhi - ylo) * 0.04
	x := scale{xlo, xhi, left, panelW - right, false}
	y := scale{ylo - pad, yhi + pad, panelH - bottom, top, c.LogY}
	fmt.Fprintf(b, `<text x="%d" y="20" font-weight="bold">%s</text>`+"\n", left, escape(c.Title))
	for _, v := range ticks(x.lo, x.hi) {
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle" fill="#444">%s</text>`+"\n", x.at(v), panelH-bottom+16, number(v))
	}
	for _, v := range ticks(y.lo, y.hi) {
		shown := v
		if c.LogY {
			shown = math.Pow(10, v)
		}
		py := y.at(shown)
		fmt.Fprintf(b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#e4e4e4"/>`+"\n", left, panelW-right, py, py)
		fmt.Fprintf(b, `<text x="%d" y="%.1f" text-anchor="end" fill="#444">%s</text>`+"\n", left-6, py+4, number(shown))
	}
	fmt.Fprintf(b, `<path d="M%d %dV%dH%d" fill="none" stroke="#444"/>`+"\n", left, top, panelH-bottom, panelW-right)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle" fill="#444">%s</text>`+"\n", (left+panelW-right)/2, panelH-10, escape(c.XLabel))
	fmt.Fprintf(b, `<text transform="translate(13,%d) rotate(-90)" text-anchor="middle" fill="#444">%s</text>`+"\n", (top+panelH-bottom)/2, escape(c.YLabel))
	for i, s := range c.Series {
		colour := palette[i%len(palette)]
		b.WriteString(`<polyline fill="none" stroke-width="1.6" stroke="` + colour + `" points="`)
		for j := range s.X {
			if p := y.at(s.Y[j]); p-p == 0 {
				fmt.Fprintf(b, "%.1f,%.1f ", x.at(s.X[j]), p)
			}
		}
		b.WriteString(`"/>` + "\n")
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="12" height="3" fill="%s"/><text x="%d" y="%d">%s</text>`+"\n",
			panelW-right+8, top+8+15*i, colour, panelW-right+25, top+13+15*i, escape(s.Name))
	}
}

// ticks are about five round numbers between lo and hi.
func ticks(lo, hi float64) []float64 {
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/4)))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if (hi-lo)/(step*m) <= 5.5 {
			step *= m
			break
		}
	}
	var out []float64
	for k := math.Ceil(lo / step); k*step <= hi; k++ {
		out = append(out, k*step)
	}
	return out
}

// number is short: no trailing noise of binary fractions.
func number(v float64) string {
	if math.Abs(v) < 1e-12 {
		return "0"
	}
	return fmt.Sprintf("%.3g", v)
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func escape(s string) string { return escaper.Replace(s) }
