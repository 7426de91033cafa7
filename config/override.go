package config

import (
	"reflect"
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
func parseArg(arg string) (override, Errors) {
	t := &text{name: arg, arg: true}
	at := place{text: t}
	key, value, ok := strings.Cut(arg, "=")
	if !ok || key == "" {
		return override{}, Errors{at.problem("", "want key=value, such as model.width=256")}
	}
	v, errs := parse(t, []byte(value))
	return override{path: strings.Split(key, "."), value: v, at: at}, errs
}

// override decodes one argument into the struct v.
func (d *decoder) override(v reflect.Value, o override) { d.descend("", o.path, o, v, "") }

// descend follows path from v, which stands at key, and decodes o's value there.
func (d *decoder) descend(key string, path []string, o override, v reflect.Value, tag reflect.StructTag) {
	if len(path) == 0 {
		d.value(key, o.value, v, tag)
		return
	}
	if v.Type() == memberType {
		d.overrideMember(v.Addr().Interface().(*Member), key, path, o)
		return
	}
	next := join(key, path[0])
	switch v.Kind() {
	case reflect.Pointer:
		point(v)
		d.descend(key, path, o, v.Elem(), tag)
	case reflect.Struct:
		i := fieldIndex(v.Type(), path[0])
		if i < 0 {
			d.unknown(o.at, key, path[0], v.Type())
			return
		}
		d.descend(next, path[1:], o, v.Field(i), v.Type().Field(i).Tag)
	case reflect.Slice:
		i, problem := index(path[0], v.Len())
		if problem != "" {
			d.fail(o.at, next, "%s", problem)
			return
		}
		d.descend(next, path[1:], o, v.Index(i), tag)
	case reflect.Map:
		d.entry(v, path[0], func(e reflect.Value) { d.descend(next, path[1:], o, e, tag) })
	default:
		d.fail(o.at, next, "there are no keys below %s", key)
	}
}

// index reads the index of one of n list elements, or says what is wrong with it.
func index(s string, n int) (i int, problem string) {
	i, err := strconv.Atoi(s)
	switch {
	case err == nil && i >= 0 && i < n:
		return i, ""
	case n == 0:
		return 0, "the list is empty"
	}
	return 0, "want an index from 0 to " + strconv.Itoa(n-1)
}

// overrideMember sets an option of a member, or its name by "name".
func (d *decoder) overrideMember(m *Member, key string, path []string, o override) {
	if path[0] == "name" && len(path) == 1 {
		d.member(key, o.value, m)
		return
	}
	if m.options == nil {
		m.options = &node{kind: object, at: o.at}
	}
	m.key = key
	if at, problem := o.set(m.options, path); problem != "" {
		d.fail(o.at, join(key, at), "%s", problem)
		return
	}
	d.origins.tree(join(key, strings.Join(path, ".")), o.value)
}

// set puts o's value at path into the tree under root, creating objects on the way, or says what is wrong and at which key.
// A scalar that stands where an object is needed becomes {name: scalar}: the short form of a Member.
func (o override) set(root *node, path []string) (at, problem string) {
	n := root
	for i, part := range path {
		last := i == len(path)-1
		if n.kind == list {
			j, problem := index(part, len(n.items))
			if problem != "" {
				return strings.Join(path[:i+1], "."), problem
			}
			if last {
				n.items[j] = o.value
			}
			n = n.items[j]
			continue
		}
		switch n.kind {
		case empty, null:
			*n = node{kind: object, at: o.at}
		case scalar:
			name := *n
			*n = node{kind: object, at: n.at, fields: []field{{name: "name", at: n.at, value: &name}}}
		}
		f := n.get(part)
		if f == nil {
			n.fields = append(n.fields, field{name: part, value: &node{at: o.at}})
			f = &n.fields[len(n.fields)-1]
		}
		f.at = o.at
		if last {
			f.value = o.value
		}
		n = f.value
	}
	return "", ""
}
