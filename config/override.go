package config

import (
	"strconv"
	"strings"
)

// override is one key=value argument.
type override struct {
	path  []string
	value *node
	at    place
}

// parseArg reads key=value, where value is a YAML scalar or flow collection.
func parseArg(s *Source) (override, Errors) {
	at := place{source: s}
	key, text, ok := strings.Cut(s.name, "=")
	if !ok || key == "" {
		return override{}, Errors{at.problem("", "want key=value, such as model.width=256")}
	}
	v, errs := parse(s, []byte(text))
	if len(errs) > 0 {
		return override{}, errs
	}
	return override{path: strings.Split(key, "."), value: v, at: at}, nil
}

// set puts o's value into the tree under root, creating objects on the way. A scalar that stands where an object is needed
// becomes {name: scalar}: the short form of a Member.
func (o override) set(root *node) Errors {
	n := root
	for i, part := range o.path {
		key := strings.Join(o.path[:i+1], ".")
		last := i == len(o.path)-1
		if n.kind == list {
			j, err := strconv.Atoi(part)
			if err != nil || j < 0 || j >= len(n.items) {
				return Errors{o.at.problem(key, "want an index from 0 to %d", len(n.items)-1)}
			}
			if last {
				n.items[j] = o.value
				return nil
			}
			n = n.items[j]
			continue
		}
		switch n.kind {
		case null:
			*n = node{kind: object, at: o.at}
		case scalar:
			*n = node{kind: object, at: n.at, fields: []field{{name: "name", at: n.at, value: &node{kind: scalar, text: n.text, quoted: n.quoted, at: n.at}}}}
		}
		f := n.get(part)
		if f == nil {
			n.fields = append(n.fields, field{name: part, at: o.at, value: &node{at: o.at}})
			f = &n.fields[len(n.fields)-1]
		}
		if last {
			f.at, f.value = o.at, o.value
			return nil
		}
		n = f.value
	}
	return nil
}
