package config

import (
	"fmt"
	"strings"
)

// Problem is one mistake in a file or an argument.
type Problem struct {
	Place string // "file.yaml:3:5" or "argument `x=y`"
	Key   string // dotted key, such as model.width
	Msg   string // what is wrong and what would be right
	Line  string // the source line, or ""
	Caret int    // column of the mistake in Line, from 1, or 0
}

// String gives the place, the key, the message and, for files, the line with a caret.
func (p Problem) String() string {
	s := p.Place + ": "
	if p.Key != "" {
		s += p.Key + ": "
	}
	s += p.Msg
	if p.Line != "" && p.Caret > 0 {
		s += fmt.Sprintf("\n    %s\n    %s^", p.Line, strings.Repeat(" ", p.Caret-1))
	}
	return s
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
