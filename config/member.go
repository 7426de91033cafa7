package config

import "reflect"

// Member is a choice of a registered member with its own options: a router, an optimizer, a surgery method.
//
// In YAML it is a name (surgery: pcgrad) or an object (surgery: {name: pcgrad, order: random}). The options stay undecoded until a
// package that knows the member's option struct calls Decode.
type Member struct {
	Name string

	key     string
	options *node // object without "name", or nil
	value   any   // the effective options, once decoded
}

// Decode decodes the options over the defaults in dst, a pointer to the member's option struct, and keeps dst as the effective
// options. Mistakes are Errors with their places.
func (m *Member) Decode(dst any) error {
	var d decoder
	if m.value != nil && m.options == nil {
		reflect.ValueOf(dst).Elem().Set(reflect.ValueOf(m.value).Elem())
		return nil
	}
	if m.options != nil {
		d.object(m.key, m.options, reflect.ValueOf(dst).Elem())
	}
	if len(d.errs) > 0 {
		return d.errs
	}
	m.value = dst
	return nil
}

// With returns a Member with given options, a pointer to the member's option struct: for programs instead of files.
func With(name string, options any) Member { return Member{Name: name, value: options} }

// Options returns the effective options after Decode, or nil.
func (m *Member) Options() any { return m.value }

// decodeMember fills m from a scalar or an object.
func (d *decoder) decodeMember(key string, n *node, m *Member) {
	*m = Member{key: key}
	switch n.kind {
	case scalar:
		m.Name = n.text
	case object:
		rest := &node{kind: object, at: n.at}
		for _, f := range n.fields {
			if f.name != "name" {
				rest.fields = append(rest.fields, f)
				continue
			}
			if f.value.kind != scalar {
				d.fail(f.at, join(key, "name"), "want a word")
				return
			}
			m.Name = f.value.text
		}
		if m.Name == "" {
			d.fail(n.at, key, "want a name, such as %s: {name: ...}", key)
			return
		}
		m.options = rest
	default:
		d.fail(n.at, key, "want a name or {name: ..., options}")
	}
}
