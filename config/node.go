package config

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// kind is the form of a node.
type kind uint8

const (
	null kind = iota
	scalar
	list
	object
)

// node is one value of a source, with its place.
type node struct {
	kind   kind
	text   string // of a scalar
	quoted bool   // a quoted scalar is a string, whatever it looks like
	items  []*node
	fields []field
	at     place
}

// field is one entry of an object.
type field struct {
	name  string
	at    place
	value *node
}

// place is where a node or key stands.
type place struct {
	source    *Source
	line, col int
}

// String is "file:line:col" or "argument `key=value`".
func (p place) String() string {
	if p.source == nil {
		return "default"
	}
	if p.source.arg {
		return "argument `" + p.source.name + "`"
	}
	return fmt.Sprintf("%s:%d:%d", p.source.name, p.line, p.col)
}

// problem makes a Problem at p.
func (p place) problem(key, format string, args ...any) Problem {
	pr := Problem{Place: p.String(), Key: key, Msg: fmt.Sprintf(format, args...)}
	if p.source != nil && !p.source.arg && p.line > 0 {
		if lines := strings.Split(string(p.source.data), "\n"); p.line <= len(lines) {
			pr.Line, pr.Caret = lines[p.line-1], p.col
		}
	}
	return pr
}

// get returns the entry called name, or nil.
func (n *node) get(name string) *field {
	for i := range n.fields {
		if n.fields[i].name == name {
			return &n.fields[i]
		}
	}
	return nil
}

// Source is a file or an argument.
type Source struct {
	name string
	data []byte
	arg  bool
}

// File is a YAML file with its contents.
func File(name string, data []byte) Source { return Source{name: name, data: data} }

// Args are key=value arguments, one Source each.
func Args(args []string) []Source {
	out := make([]Source, len(args))
	for i, a := range args {
		out[i] = Source{name: a, arg: true}
	}
	return out
}

// parse reads one YAML document. An empty one gives a null node.
func parse(s *Source, data []byte) (*node, Errors) {
	f, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, Errors{syntaxProblem(s, err)}
	}
	root := &node{at: place{source: s, line: 1, col: 1}}
	docs := 0
	var errs Errors
	for _, d := range f.Docs {
		if d.Body == nil {
			continue
		}
		docs++
		root = convert(s, d.Body, "", &errs)
	}
	if docs > 1 {
		errs = append(errs, root.at.problem("", "more than one YAML document; want one"))
	}
	return root, errs
}

// syntaxProblem turns a parser error into a Problem with its place.
func syntaxProblem(s *Source, err error) Problem {
	at := place{source: s}
	msg := err.Error()
	var ye yaml.Error
	if e, ok := err.(yaml.Error); ok {
		ye = e
		msg = ye.GetMessage()
		if tk := ye.GetToken(); tk != nil {
			at.line, at.col = tk.Position.Line, tk.Position.Column
		}
	}
	return at.problem("", "not valid YAML: %s", msg)
}

// convert turns a parsed value into a node.
func convert(s *Source, v ast.Node, key string, errs *Errors) *node {
	at := place{source: s}
	if tk := v.GetToken(); tk != nil {
		at.line, at.col = tk.Position.Line, tk.Position.Column
	}
	switch v := v.(type) {
	case *ast.NullNode:
		return &node{at: at}
	case *ast.MappingNode:
		n := &node{kind: object, at: at}
		for _, mv := range v.Values {
			addField(n, s, mv, key, errs)
		}
		if len(n.fields) > 0 {
			n.at = n.fields[0].at
		}
		return n
	case *ast.MappingValueNode:
		n := &node{kind: object, at: at}
		addField(n, s, v, key, errs)
		n.at = n.fields[0].at
		return n
	case *ast.SequenceNode:
		n := &node{kind: list, at: at}
		for i, item := range v.Values {
			n.items = append(n.items, convert(s, item, join(key, fmt.Sprint(i)), errs))
		}
		return n
	case *ast.StringNode:
		quoted := v.Token.Type == token.DoubleQuoteType || v.Token.Type == token.SingleQuoteType
		return &node{kind: scalar, text: v.Value, quoted: quoted, at: at}
	case *ast.LiteralNode:
		return &node{kind: scalar, text: v.Value.Value, quoted: true, at: at}
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return &node{kind: scalar, text: strings.TrimSpace(v.GetToken().Value), at: at}
	}
	*errs = append(*errs, at.problem(key, "YAML anchors, aliases, merges and tags are not supported here"))
	return &node{at: at}
}

func addField(n *node, s *Source, mv *ast.MappingValueNode, key string, errs *Errors) {
	tk := mv.Key.GetToken()
	at := place{source: s, line: tk.Position.Line, col: tk.Position.Column}
	name := tk.Value
	n.fields = append(n.fields, field{name: name, at: at, value: convert(s, mv.Value, join(key, name), errs)})
}

// join appends a part to a dotted key.
func join(key, part string) string {
	if key == "" {
		return part
	}
	return key + "." + part
}
