// Package report draws a run: curves as SVG, without any library or script.
package report
