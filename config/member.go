package config

import (
	"reflect"

	"github.com/pkg/errors"
)

// Member is a choice of a registered member with its own options: a router, an optimizer, a surgery method.
//
// In YAML it is a name (surgery: pcgrad) or an object (surgery: {name: pcgrad, order: random}); either replaces the whole choice.
// An argument below it (surgery.order=index) sets one option and keeps the rest. The options stay undecoded until a
// package that knows the member's option struct calls Decode; from then on the Member encodes completely.
type Member struct {
	Name string

	key     string
	options *node // object without "name", or nil
	value   any   // the effective options, once decoded
}

// With returns a Member with given options, a pointer to the member's option struct: for programs instead of files.
func With(name string, options any) Member { return Member{Name: name, value: options} }

// Options returns the effective options after Decode or With, or nil.
func (m *Member) Options() any { return m.value }

// Decode decodes the options over the defaults in dst, a pointer to the member's option struct, and keeps dst as the effective
// options. Options that the Member has from With or from an earlier Decode take the place of dst's defaults. Mistakes are Errors with
// their places; dst and m are then as they were.
func (m *Member) Decode(dst any) error {
	target := reflect.ValueOf(dst).Elem()
	base := target
	if m.value != nil {
		if base = reflect.ValueOf(m.value).Elem(); base.Type() != target.Type() {
			return errors.Errorf("config: options of %q: got a %s, want a %s", m.Name, base.Type(), target.Type())
		}
	}
	v, errs := m.apply(base)
	if len(errs) > 0 {
		return errs
	}
	target.Set(v)
	m.value, m.options = dst, nil
	return nil
}

// apply returns a copy of base with the options that are not decoded yet.
func (m *Member) apply(base reflect.Value) (reflect.Value, Errors) {
	v := reflect.New(base.Type()).Elem()
	v.Set(clone(base))
	var d decoder
	if m.options != nil {
		d.object(m.key, m.options, v)
	}
	return v, d.errs
}

// member fills m from a scalar or an object.
func (d *decoder) member(key string, n *node, m *Member) {
	choice := Member{key: key}
	switch n.kind {
	case scalar:
		choice.Name = n.text
	case object:
		choice.options = &node{kind: object, at: n.at}
		name := n.get("name")
		if name == nil {
			d.fail(n.at, key, "want a name, as in {name: ...}")
			return
		}
		if name.value.kind != scalar {
			d.fail(name.value.at, join(key, "name"), "got %s, want a word", name.value.describe())
			return
		}
		choice.Name = name.value.text
		for _, f := range n.fields {
			if f.name != "name" {
				choice.options.fields = append(choice.options.fields, f)
			}
		}
	default:
		d.fail(n.at, key, "got %s, want a name or {name: ..., and options}", n.describe())
		return
	}
	d.origins.tree(key, n)
	*m = choice
}
