package config

import (
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
	"github.com/pkg/errors"
)

// kind is the form of a node.
type kind uint8

const (
	empty kind = iota // nothing was written
	null              // null or ~ was written
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

// get returns the entry called name, or nil.
func (n *node) get(name string) *field {
	for i := range n.fields {
		if n.fields[i].name == name {
			return &n.fields[i]
		}
	}
	return nil
}

// describe says what a node is, for messages.
func (n *node) describe() string {
	switch n.kind {
	case null:
		return "null"
	case scalar:
		if n.quoted {
			return strconv.Quote(n.text)
		}
		return n.text
	case list:
		return "a list"
	case object:
		return "an object"
	}
	return "nothing"
}

// clone returns a deep copy.
func (n *node) clone() *node {
	if n == nil {
		return nil
	}
	c := *n
	c.items = nil
	for _, item := range n.items {
		c.items = append(c.items, item.clone())
	}
	c.fields = nil
	for _, f := range n.fields {
		c.fields = append(c.fields, field{name: f.name, at: f.at, value: f.value.clone()})
	}
	return &c
}

// parse reads one YAML document from data, a part of t. An empty one gives an empty node.
func parse(t *text, data []byte) (*node, Errors) {
	f, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, Errors{syntaxProblem(t, err)}
	}
	r := reader{text: t}
	root := &node{at: place{text: t, line: 1, col: 1}}
	docs := 0
	for _, d := range f.Docs {
		if d.Body == nil {
			continue
		}
		if docs++; docs > 1 {
			r.errs = append(r.errs, r.place(d.Body.GetToken()).problem("", "more than one YAML document; want one"))
			break
		}
		root = r.node(d.Body, "")
	}
	return root, r.errs
}

// syntaxProblem turns a parser error into a Problem with its place.
func syntaxProblem(t *text, err error) Problem {
	at, msg := place{text: t}, err.Error()
	var e yaml.Error
	if errors.As(err, &e) {
		msg = e.GetMessage()
		if tk := e.GetToken(); tk != nil && tk.Position != nil {
			at.line, at.col = tk.Position.Line, tk.Position.Column
		}
	}
	return at.problem("", "not valid YAML: %s", msg)
}

// reader turns parsed YAML into nodes.
type reader struct {
	text *text
	errs Errors
}

func (r *reader) place(tk *token.Token) place {
	if tk == nil || tk.Position == nil {
		return place{text: r.text}
	}
	return place{text: r.text, line: tk.Position.Line, col: tk.Position.Column}
}

// node converts one value; key is where it stands, for messages.
func (r *reader) node(v ast.Node, key string) *node {
	at := r.place(v.GetToken())
	switch v := v.(type) {
	case *ast.NullNode:
		if v.Token.Type == token.ImplicitNullType {
			return &node{at: at}
		}
		return &node{kind: null, at: at}
	case *ast.MappingNode:
		return r.object(at, v.Values, key)
	case *ast.MappingValueNode:
		return r.object(at, []*ast.MappingValueNode{v}, key)
	case *ast.SequenceNode:
		n := &node{kind: list, at: at}
		for i, item := range v.Values {
			n.items = append(n.items, r.node(item, join(key, strconv.Itoa(i))))
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
	r.errs = append(r.errs, at.problem(key, "YAML anchors, aliases, merges and tags are not supported here"))
	return &node{at: at}
}

// object converts the entries of a mapping; the parser has refused keys that stand twice. Its place is the first key's.
func (r *reader) object(at place, values []*ast.MappingValueNode, key string) *node {
	n := &node{kind: object, at: at}
	for _, mv := range values {
		tk := mv.Key.GetToken()
		f := field{name: tk.Value, at: r.place(tk)}
		switch mv.Key.(type) {
		case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		default:
			r.errs = append(r.errs, f.at.problem(key, "YAML anchors, aliases, merges, tags and keys that are not words are not supported here"))
			continue
		}
		f.value = r.node(mv.Value, join(key, f.name))
		n.fields = append(n.fields, f)
	}
	if len(n.fields) > 0 {
		n.at = n.fields[0].at
	}
	return n
}

// join appends a part to a dotted key.
func join(key, part string) string {
	if key == "" {
		return part
	}
	return key + "." + part
}
