package config

import (
	"fmt"
	"strings"
)

// Source is a file or a list of arguments.
type Source struct {
	name string
	data []byte
	args []string
}

// File is a YAML file with its contents.
func File(name string, data []byte) Source { return Source{name: name, data: data} }

// Args are key=value arguments, applied in order: dotted keys (model.width=256), list elements by index
// (model.blocks.1.experts=8), values as YAML scalars or flow collections (sizes=[1, 2]).
func Args(args []string) Source { return Source{args: args} }

// text is where nodes come from: one file, or one argument.
type text struct {
	name string // file name, or the argument
	data []byte // of a file
	arg  bool
}

// place is where a node or key stands. The zero place is "default".
type place struct {
	text      *text
	line, col int
}

// String is "file:line:col" or "argument `key=value`".
func (p place) String() string {
	switch {
	case p.text == nil:
		return "default"
	case p.text.arg || p.line == 0:
		return p.file()
	}
	return fmt.Sprintf("%s:%d:%d", p.text.name, p.line, p.col)
}

func (p place) file() string {
	if p.text.arg {
		return "argument `" + p.text.name + "`"
	}
	return p.text.name
}

// problem makes a Problem at p.
func (p place) problem(key, format string, args ...any) Problem {
	pr := Problem{Key: key, Msg: fmt.Sprintf(format, args...)}
	if p.text == nil {
		pr.File = "default"
		return pr
	}
	pr.File = p.file()
	if !p.text.arg {
		pr.Line, pr.Column = p.line, p.col
		if lines := strings.Split(string(p.text.data), "\n"); p.line > 0 && p.line <= len(lines) {
			pr.Excerpt = strings.TrimRight(lines[p.line-1], "\r")
		}
	}
	return pr
}
