package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// Encode writes the effective config v, a struct or a pointer to one, as YAML in the order of its fields. It is complete and
// deterministic: decoded over a zero struct, or over any defaults whose maps have no other entries, it gives v. Members that were
// not decoded yet encode what was given. Errors: a number that is not finite, a string that is not UTF-8, a Member option that
// does not decode.
func Encode(v any) ([]byte, error) { return encode(v, false) }

// EncodeDoc is Encode with each field's doc as a comment.
func EncodeDoc(v any) ([]byte, error) { return encode(v, true) }

// SHA256 is the hash of Encode(v) in hex.
func SHA256(v any) (string, error) {
	b, err := Encode(v)
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:]), err
}

func encode(v any, docs bool) ([]byte, error) {
	e := encoder{docs: docs}
	e.fields("", reflect.Indirect(reflect.ValueOf(v)), reflect.Value{}, 0)
	if e.err != nil {
		return nil, e.err
	}
	return e.b.Bytes(), nil
}

// encoder writes block-style YAML. base, where it is valid, is what the decoder starts from at a place (elements of lists start from
// SetDefaults): there a nil pointer need not be written.
type encoder struct {
	b    bytes.Buffer
	docs bool
	err  error
}

func (e *encoder) fail(key, format string, args ...any) {
	if e.err == nil {
		e.err = errors.Errorf("config: %s: "+format, append([]any{key}, args...)...)
	}
}

func (e *encoder) indent(depth int) {
	for range depth {
		e.b.WriteString("  ")
	}
}

// fields writes the fields of struct v, one or more lines each.
func (e *encoder) fields(key string, v, base reflect.Value, depth int) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := f.Tag.Get("yaml")
		below := reflect.Value{}
		if base.IsValid() {
			below = base.Field(i)
		}
		if name == "" || f.Type.Kind() == reflect.Pointer && v.Field(i).IsNil() && below.IsValid() && below.IsNil() {
			continue
		}
		if doc := f.Tag.Get("doc"); e.docs && doc != "" {
			e.indent(depth)
			e.b.WriteString("# " + strings.ReplaceAll(doc, "\n", " ") + "\n")
		}
		e.indent(depth)
		e.b.WriteString(name + ":")
		e.value(join(key, name), v.Field(i), below, depth)
	}
}

// value writes what follows a key or a dash: a space and a scalar, or an indented block on the next lines.
func (e *encoder) value(key string, v, base reflect.Value, depth int) {
	if v.Type() == memberType {
		m := v.Interface().(Member)
		e.member(key, &m, depth)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		switch {
		case v.IsNil():
			e.b.WriteString(" null\n")
			return
		case base.IsValid() && base.IsNil():
			base = fresh(v.Type().Elem())
		case base.IsValid():
			base = base.Elem()
		}
		e.value(key, v.Elem(), base, depth)
	case reflect.Struct:
		e.block("{}", func() { e.fields(key, v, base, depth+1) })
	case reflect.Slice:
		e.list(key, v, depth)
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		e.block("{}", func() {
			for _, k := range keys {
				e.indent(depth + 1)
				e.text(key, k.String())
				e.b.WriteByte(':')
				e.value(join(key, k.String()), v.MapIndex(k), fresh(v.Type().Elem()), depth+1)
			}
		})
	default:
		e.b.WriteByte(' ')
		e.scalar(key, v)
		e.b.WriteByte('\n')
	}
}

// block writes a line end and what write writes, or on this line none when that is nothing.
func (e *encoder) block(none string, write func()) {
	at := e.b.Len()
	e.b.WriteByte('\n')
	write()
	if e.b.Len() == at+1 {
		e.b.Truncate(at)
		e.b.WriteString(" " + none + "\n")
	}
}

// list writes scalars on one line and anything else one item below the other.
func (e *encoder) list(key string, v reflect.Value, depth int) {
	switch t := v.Type().Elem(); t.Kind() {
	case reflect.Struct, reflect.Pointer, reflect.Slice, reflect.Map:
		e.block("[]", func() {
			for i := range v.Len() {
				e.item(depth+1, func() { e.value(join(key, strconv.Itoa(i)), v.Index(i), fresh(t), depth+1) })
			}
		})
	default:
		e.b.WriteString(" [")
		for i := range v.Len() {
			if i > 0 {
				e.b.WriteString(", ")
			}
			e.scalar(join(key, strconv.Itoa(i)), v.Index(i))
		}
		e.b.WriteString("]\n")
	}
}

// item writes one item of a list. A block that would begin on the next line begins behind the dash instead, unless a comment does.
func (e *encoder) item(depth int, write func()) {
	e.indent(depth)
	e.b.WriteByte('-')
	at := e.b.Len()
	write()
	lead := "\n" + strings.Repeat("  ", depth+1)
	if rest, ok := strings.CutPrefix(string(e.b.Bytes()[at:]), lead); ok && !strings.HasPrefix(rest, "#") {
		e.b.Truncate(at)
		e.b.WriteString(" " + rest)
	}
}

func (e *encoder) scalar(key string, v reflect.Value) {
	switch {
	case v.Kind() == reflect.String:
		e.text(key, v.String())
		return
	case v.CanFloat() && (math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0)):
		e.fail(key, "got %v, want a finite number", v.Float())
	}
	e.b.WriteString(scalarText(v))
}

func (e *encoder) text(key, s string) {
	if !utf8.ValidString(s) {
		e.fail(key, "got %q, want UTF-8", s)
	}
	e.b.WriteString(quote(s))
}

// member writes the short form when there are no options.
func (e *encoder) member(key string, m *Member, depth int) {
	at := e.b.Len()
	e.b.WriteByte('\n')
	e.indent(depth + 1)
	e.b.WriteString("name: ")
	e.text(key, m.Name)
	e.b.WriteByte('\n')
	options := e.b.Len()
	if m.value != nil {
		v, errs := m.apply(reflect.ValueOf(m.value).Elem())
		if len(errs) > 0 && e.err == nil {
			e.err = errs
		}
		e.fields(key, v, reflect.Value{}, depth+1)
	} else if m.options != nil {
		e.nodes(m.options, depth+1)
	}
	if e.b.Len() == options {
		e.b.Truncate(at)
		e.b.WriteByte(' ')
		e.text(key, m.Name)
		e.b.WriteByte('\n')
	}
}

// nodes writes the entries of an object that was not decoded yet.
func (e *encoder) nodes(n *node, depth int) {
	for _, f := range n.fields {
		e.indent(depth)
		e.text(f.name, f.name)
		e.b.WriteByte(':')
		e.node(f.value, depth)
	}
}

// node writes what follows a key or a dash.
func (e *encoder) node(n *node, depth int) {
	switch n.kind {
	case empty:
		e.b.WriteByte('\n')
	case null:
		e.b.WriteString(" null\n")
	case scalar:
		e.b.WriteString(" " + n.yaml() + "\n")
	case list:
		e.block("[]", func() {
			for _, item := range n.items {
				e.item(depth+1, func() { e.node(item, depth+1) })
			}
		})
	case object:
		e.block("{}", func() { e.nodes(n, depth+1) })
	}
}
