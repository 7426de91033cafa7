package config

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"artel/internal/registry"
)

// Decode applies the sources in order over the defaults in dst, a pointer to a struct. Arguments come after files: each sets one
// dotted key, list elements by index. Mistakes are returned together as Errors, and dst is then in an undefined state.
func Decode(dst any, sources ...Source) (*Origins, error) {
	var d decoder
	d.origins = &Origins{at: map[string]place{}}
	v := reflect.ValueOf(dst).Elem()
	for i := range sources {
		s := &sources[i]
		if s.arg {
			o, errs := parseArg(s)
			d.errs = append(d.errs, errs...)
			if len(errs) == 0 {
				d.applyOverride(v, o)
			}
			continue
		}
		root, errs := parse(s, s.data)
		d.errs = append(d.errs, errs...)
		if len(errs) == 0 && root.kind != null {
			d.value("", root, v, "")
		}
	}
	if len(d.errs) > 0 {
		return nil, d.errs
	}
	return d.origins, nil
}

// decoder collects mistakes and origins while it walks.
type decoder struct {
	errs    Errors
	origins *Origins
}

func (d *decoder) fail(at place, key, format string, args ...any) {
	d.errs = append(d.errs, at.problem(key, format, args...))
}

var (
	memberType   = reflect.TypeFor[Member]()
	durationType = reflect.TypeFor[time.Duration]()
)

// defaulter is a struct that knows its own defaults.
type defaulter interface{ SetDefaults() }

// fresh returns a new value of type t with its defaults.
func fresh(t reflect.Type) reflect.Value {
	v := reflect.New(t)
	if s, ok := v.Interface().(defaulter); ok {
		s.SetDefaults()
	}
	return v.Elem()
}

// value decodes n into v. tag is the field's struct tag.
func (d *decoder) value(key string, n *node, v reflect.Value, tag reflect.StructTag) {
	if d.origins != nil && key != "" {
		d.origins.at[key] = n.at
	}
	if v.Type() == memberType {
		d.decodeMember(key, n, v.Addr().Interface().(*Member))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if n.kind == null {
			n = &node{kind: object, at: n.at}
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(fresh(v.Type().Elem()))
		d.value(key, n, p.Elem(), tag)
		v.Set(p)
	case reflect.Struct:
		if n.kind != object {
			d.fail(n.at, key, "got %s, want the keys %s", n.describe(), strings.Join(names(v.Type()), ", "))
			return
		}
		d.object(key, n, v)
	case reflect.Slice:
		if n.kind != list {
			d.fail(n.at, key, "got %s, want a list", n.describe())
			return
		}
		out := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
		for i, item := range n.items {
			out.Index(i).Set(fresh(v.Type().Elem()))
			d.value(join(key, strconv.Itoa(i)), item, out.Index(i), tag)
		}
		v.Set(out)
	case reflect.Map:
		if n.kind != object {
			d.fail(n.at, key, "got %s, want named entries", n.describe())
			return
		}
		out := reflect.MakeMap(v.Type())
		for _, f := range n.fields {
			e := fresh(v.Type().Elem())
			if old := v.MapIndex(reflect.ValueOf(f.name)); old.IsValid() {
				e = reflect.New(v.Type().Elem()).Elem()
				e.Set(old)
			}
			d.value(join(key, f.name), f.value, e, tag)
			out.SetMapIndex(reflect.ValueOf(f.name), e)
		}
		v.Set(out)
	default:
		d.scalar(key, n, v, tag)
	}
}

// object decodes the entries of n into the fields of struct v.
func (d *decoder) object(key string, n *node, v reflect.Value) {
	for _, f := range n.fields {
		i := fieldIndex(v.Type(), f.name)
		if i < 0 {
			all := names(v.Type())
			if near := registry.Nearest(f.name, all); near != "" {
				d.fail(f.at, join(key, f.name), "unknown key; did you mean %q?", near)
			} else if len(all) == 0 {
				d.fail(f.at, join(key, f.name), "unknown key; there are no options here")
			} else {
				d.fail(f.at, join(key, f.name), "unknown key; want one of %s", strings.Join(all, ", "))
			}
			continue
		}
		d.value(join(key, f.name), f.value, v.Field(i), v.Type().Field(i).Tag)
	}
}

// describe says what a node is, for messages.
func (n *node) describe() string {
	switch n.kind {
	case scalar:
		return strconv.Quote(n.text)
	case list:
		return "a list"
	case object:
		return "an object"
	}
	return "nothing"
}

// names lists the keys of a struct.
func names(t reflect.Type) []string {
	var out []string
	for i := 0; i < t.NumField(); i++ {
		if n := t.Field(i).Tag.Get("yaml"); n != "" {
			out = append(out, n)
		}
	}
	return out
}

func fieldIndex(t reflect.Type, name string) int {
	for i := 0; i < t.NumField(); i++ {
		if t.Field(i).Tag.Get("yaml") == name {
			return i
		}
	}
	return -1
}

// scalar decodes a bool, number, string or duration and checks its range.
func (d *decoder) scalar(key string, n *node, v reflect.Value, tag reflect.StructTag) {
	if n.kind != scalar && !(n.kind == null && v.Kind() == reflect.String) {
		d.fail(n.at, key, "got %s, want %s", n.describe(), typeName(v.Type()))
		return
	}
	wrong := func() { d.fail(n.at, key, "got %s, want %s", n.describe(), typeName(v.Type())) }
	text := strings.ReplaceAll(n.text, "_", "")
	if v.Type() == durationType {
		x, err := time.ParseDuration(n.text)
		if err != nil {
			wrong()
			return
		}
		v.SetInt(int64(x))
		d.rangeCheck(key, n, x.Seconds(), tag)
		return
	}
	switch {
	case v.Kind() == reflect.String:
		v.SetString(n.text)
		d.oneOf(key, n, tag)
	case n.quoted:
		wrong()
	case v.Kind() == reflect.Bool:
		x, err := strconv.ParseBool(n.text)
		if err != nil {
			wrong()
			return
		}
		v.SetBool(x)
	case v.CanInt():
		x, ok := parseInt(text)
		if !ok || v.OverflowInt(x) {
			wrong()
			return
		}
		v.SetInt(x)
		d.rangeCheck(key, n, float64(x), tag)
	case v.CanUint():
		x, err := strconv.ParseUint(text, 0, 64)
		if err != nil || v.OverflowUint(x) {
			wrong()
			return
		}
		v.SetUint(x)
		d.rangeCheck(key, n, float64(x), tag)
	case v.CanFloat():
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			wrong()
			return
		}
		v.SetFloat(x)
		d.rangeCheck(key, n, x, tag)
	default:
		wrong()
	}
}

// parseInt accepts whole numbers, also as 1e4.
func parseInt(s string) (int64, bool) {
	if x, err := strconv.ParseInt(s, 0, 64); err == nil {
		return x, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// typeName is what a value should have been.
func typeName(t reflect.Type) string {
	switch {
	case t == durationType:
		return "a duration such as 90s"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64:
		return "a whole number"
	case t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64:
		return "a whole number from 0"
	case t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64:
		return "a number"
	}
	return "a " + t.Kind().String()
}

func (d *decoder) oneOf(key string, n *node, tag reflect.StructTag) {
	words := strings.Fields(tag.Get("oneof"))
	if len(words) == 0 {
		return
	}
	for _, w := range words {
		if w == n.text {
			return
		}
	}
	if near := registry.Nearest(n.text, words); near != "" {
		d.fail(n.at, key, "got %q; did you mean %q? (want one of %s)", n.text, near, strings.Join(words, ", "))
		return
	}
	d.fail(n.at, key, "got %q, want one of %s", n.text, strings.Join(words, ", "))
}

// rangeCheck applies range:"lo..hi"; "lo<.." and "..<hi" exclude the end.
func (d *decoder) rangeCheck(key string, n *node, x float64, tag reflect.StructTag) {
	r := tag.Get("range")
	if r == "" {
		return
	}
	lo, hi, _ := strings.Cut(r, "..")
	openLo, openHi := strings.HasSuffix(lo, "<"), strings.HasPrefix(hi, "<")
	l, errL := strconv.ParseFloat(strings.TrimSuffix(lo, "<"), 64)
	h, errH := strconv.ParseFloat(strings.TrimPrefix(hi, "<"), 64)
	if errL == nil && (x < l || openLo && x == l) || errH == nil && (x > h || openHi && x == h) {
		d.fail(n.at, key, "got %s, want %s", n.text, r)
	}
}
