package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Encode writes the effective config v (a struct or a pointer to one) as YAML in the order of its fields; it is complete, deterministic, and
// decodes to the same value. Members must have been decoded for their options to appear.
func Encode(v any) []byte {
	var b bytes.Buffer
	e := encoder{w: &b}
	e.fields(reflect.Indirect(reflect.ValueOf(v)), 0)
	return b.Bytes()
}

// EncodeDoc is Encode with each field's doc as a comment.
func EncodeDoc(v any) []byte {
	var b bytes.Buffer
	e := encoder{w: &b, docs: true}
	e.fields(reflect.Indirect(reflect.ValueOf(v)), 0)
	return b.Bytes()
}

// SHA256 is the hash of Encode(v) in hex.
func SHA256(v any) string {
	h := sha256.Sum256(Encode(v))
	return hex.EncodeToString(h[:])
}

type encoder struct {
	w    *bytes.Buffer
	docs bool
}

func indent(n int) string { return strings.Repeat("  ", n) }

// fields writes the fields of struct v, one or more lines each.
func (e *encoder) fields(v reflect.Value, depth int) {
	for i := 0; i < v.NumField(); i++ {
		f := v.Type().Field(i)
		name := f.Tag.Get("yaml")
		if name == "" || v.Field(i).Kind() == reflect.Pointer && v.Field(i).IsNil() {
			continue
		}
		if doc := f.Tag.Get("doc"); e.docs && doc != "" {
			fmt.Fprintf(e.w, "%s# %s\n", indent(depth), doc)
		}
		fmt.Fprintf(e.w, "%s%s:", indent(depth), name)
		e.value(v.Field(i), depth)
	}
}

// value writes what follows a key: " scalar\n" or "\n" and an indented block.
func (e *encoder) value(v reflect.Value, depth int) {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Type() == memberType {
		e.member(v.Interface().(Member), depth)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		if len(names(v.Type())) == 0 {
			e.w.WriteString(" {}\n")
			return
		}
		e.w.WriteByte('\n')
		e.fields(v, depth+1)
	case reflect.Slice:
		e.list(v, depth)
	case reflect.Map:
		if v.Len() == 0 {
			e.w.WriteString(" {}\n")
			return
		}
		e.w.WriteByte('\n')
		keys := v.MapKeys()
		sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
		for _, k := range keys {
			fmt.Fprintf(e.w, "%s%s:", indent(depth+1), quote(k.String()))
			e.value(v.MapIndex(k), depth+1)
		}
	default:
		fmt.Fprintf(e.w, " %s\n", scalarText(v))
	}
}

func (e *encoder) list(v reflect.Value, depth int) {
	if v.Len() == 0 {
		e.w.WriteString(" []\n")
		return
	}
	t := v.Type().Elem()
	if t.Kind() != reflect.Struct && t.Kind() != reflect.Slice || t == durationType {
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = scalarText(v.Index(i))
		}
		fmt.Fprintf(e.w, " [%s]\n", strings.Join(parts, ", "))
		return
	}
	e.w.WriteByte('\n')
	for i := 0; i < v.Len(); i++ {
		var b bytes.Buffer
		sub := encoder{w: &b, docs: e.docs}
		if t.Kind() == reflect.Slice || t == memberType {
			sub.value(v.Index(i), depth+1)
			fmt.Fprintf(e.w, "%s-%s", indent(depth+1), b.String())
			continue
		}
		sub.fields(v.Index(i), 0)
		for j, line := range strings.Split(strings.TrimRight(b.String(), "\n"), "\n") {
			lead := "  "
			if j == 0 {
				lead = "- "
			}
			fmt.Fprintf(e.w, "%s%s%s\n", indent(depth+1), lead, line)
		}
	}
}

func (e *encoder) member(m Member, depth int) {
	v := reflect.ValueOf(m.value)
	if m.value == nil || len(names(v.Elem().Type())) == 0 {
		fmt.Fprintf(e.w, " %s\n", quote(m.Name))
		return
	}
	fmt.Fprintf(e.w, "\n%sname: %s\n", indent(depth+1), quote(m.Name))
	e.fields(v.Elem(), depth+1)
}

func scalarText(v reflect.Value) string {
	if v.Type() == durationType {
		return time.Duration(v.Int()).String()
	}
	switch v.Kind() {
	case reflect.String:
		return quote(v.String())
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	if v.CanUint() {
		return strconv.FormatUint(v.Uint(), 10)
	}
	return strconv.FormatInt(v.Int(), 10)
}

// quote writes a string so that it reads back as one: plain when it is a simple word.
func quote(s string) string {
	plain := s != ""
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r == '/' && i > 0
		other := i > 0 && (r >= '0' && r <= '9' || r == '-' || r == '.')
		plain = plain && (letter || other)
	}
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "null", "nan", "inf", "y", "n":
		plain = false
	}
	if plain {
		return s
	}
	return strconv.Quote(s)
}
