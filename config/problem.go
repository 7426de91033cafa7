package config

import (
	"fmt"
	"strings"
)

// Problem is one mistake in a file or an argument.
type Problem struct {
	File         string // the file's name, or "argument `key=value`"
	Line, Column int    // of the mistake in the file, from 1; 0 for an argument
	Key          string // dotted key such as model.width, or ""
	Msg          string // what is wrong and what would be right
	Excerpt      string // the line of the file, or ""
}

// String gives the place, the key, the message and, for files, the line with a caret under the mistake.
func (p Problem) String() string {
	s := p.File
	if p.Line > 0 {
		s += fmt.Sprintf(":%d:%d", p.Line, p.Column)
	}
	if p.Key != "" {
		s += ": " + p.Key
	}
	s += ": " + p.Msg
	if p.Excerpt != "" && p.Column > 0 {
		line, caret := window([]rune(p.Excerpt), p.Column)
		s += "\n    " + line + "\n    " + caret
	}
	return s
}

// window cuts a long line around column col and makes the line with the caret. Tabs stay tabs, so that the caret stands right.
func window(line []rune, col int) (text, caret string) {
	const width = 100
	begin := 0
	if len(line) > width && col-1 > width/2 {
		begin = min(col-1, len(line)) - width/2
	}
	end := min(begin+width, len(line))
	for _, r := range line[begin:min(max(begin, col-1), end)] {
		if r != '\t' {
			r = ' '
		}
		caret += string(r)
	}
	return string(line[begin:end]), caret + "^"
}

// Errors is all mistakes of a decoding, in the order of the sources.
type Errors []Problem

// Error lists all mistakes, one after the other.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}
