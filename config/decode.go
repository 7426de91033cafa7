package config

import (
	"reflect"
	"strconv"
	"strings"
	"time"

	"artel/internal/registry"
)

// Decode applies the sources in order over the defaults in dst, a pointer to a struct, and tells where the values came from.
// All mistakes are returned together as Errors; dst is then as it was. What dst points to is copied first, never changed.
func Decode(dst any, sources ...Source) (*Origins, error) {
	d := decoder{origins: &Origins{at: map[string]place{}}}
	target := reflect.ValueOf(dst).Elem()
	v := reflect.New(target.Type()).Elem()
	v.Set(clone(target))
	for _, s := range sources {
		if s.args == nil {
			t := &text{name: s.name, data: s.data}
			root, errs := parse(t, s.data)
			d.errs = append(d.errs, errs...)
			if len(errs) == 0 {
				d.value("", root, v, "")
			}
		}
		for _, a := range s.args {
			o, errs := parseArg(a)
			d.errs = append(d.errs, errs...)
			if len(errs) == 0 {
				d.override(v, o)
			}
		}
	}
	if len(d.errs) > 0 {
		return nil, d.errs
	}
	target.Set(v)
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

// fresh returns a new value of type t with its defaults.
func fresh(t reflect.Type) reflect.Value {
	v := reflect.New(t)
	if s, ok := v.Interface().(interface{ SetDefaults() }); ok {
		s.SetDefaults()
	}
	return v.Elem()
}

// point makes v, a pointer, point to something.
func point(v reflect.Value) {
	if v.IsNil() {
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(fresh(v.Type().Elem()))
		v.Set(p)
	}
}

// value decodes n into v. tag is the field's struct tag.
func (d *decoder) value(key string, n *node, v reflect.Value, tag reflect.StructTag) {
	if v.Type() == memberType {
		d.member(key, n, v.Addr().Interface().(*Member))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if n.kind == null {
			d.origins.set(key, n.at)
			v.SetZero()
			return
		}
		point(v)
		d.value(key, n, v.Elem(), tag)
	case reflect.Struct:
		if n.kind != object && n.kind != empty {
			d.fail(n.at, key, "got %s, want the keys %s", n.describe(), strings.Join(names(v.Type()), ", "))
			return
		}
		d.object(key, n, v)
	case reflect.Slice:
		if n.kind != list {
			d.fail(n.at, key, "got %s, want a list", n.describe())
			return
		}
		d.origins.set(key, n.at)
		out := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
		for i, item := range n.items {
			out.Index(i).Set(fresh(v.Type().Elem()))
			d.value(join(key, strconv.Itoa(i)), item, out.Index(i), tag)
		}
		v.Set(out)
	case reflect.Map:
		if n.kind != object && n.kind != empty {
			d.fail(n.at, key, "got %s, want named entries", n.describe())
			return
		}
		for _, f := range n.fields {
			d.entry(v, f.name, func(e reflect.Value) { d.value(join(key, f.name), f.value, e, tag) })
		}
	default:
		d.origins.set(key, n.at)
		d.scalar(key, n, v, tag)
	}
}

// entry lets change the entry called name of map v, which is made with its defaults when it is new.
func (d *decoder) entry(v reflect.Value, name string, change func(e reflect.Value)) {
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	k := reflect.ValueOf(name).Convert(v.Type().Key())
	e := fresh(v.Type().Elem())
	if old := v.MapIndex(k); old.IsValid() {
		e.Set(old)
	}
	change(e)
	v.SetMapIndex(k, e)
}

// object decodes the entries of n into the fields of struct v.
func (d *decoder) object(key string, n *node, v reflect.Value) {
	for _, f := range n.fields {
		if i := fieldIndex(v.Type(), f.name); i >= 0 {
			d.value(join(key, f.name), f.value, v.Field(i), v.Type().Field(i).Tag)
		} else {
			d.unknown(f.at, key, f.name, v.Type())
		}
	}
}

// unknown reports a key that struct t does not have.
func (d *decoder) unknown(at place, key, name string, t reflect.Type) {
	all := names(t)
	near := registry.Nearest(name, all)
	switch {
	case len(all) == 0:
		d.fail(at, join(key, name), "unknown key; there are no options here")
	case near != "":
		d.fail(at, join(key, name), "unknown key; did you mean %q?", near)
	default:
		d.fail(at, join(key, name), "unknown key; want one of %s", strings.Join(all, ", "))
	}
}

// names lists the keys of a struct.
func names(t reflect.Type) []string {
	var out []string
	for i := range t.NumField() {
		if n := t.Field(i).Tag.Get("yaml"); n != "" {
			out = append(out, n)
		}
	}
	return out
}

// fieldIndex returns the field of struct t with the given key, or -1.
func fieldIndex(t reflect.Type, name string) int {
	for i := range t.NumField() {
		if n := t.Field(i).Tag.Get("yaml"); n != "" && n == name {
			return i
		}
	}
	return -1
}
