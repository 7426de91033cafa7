package config

import "reflect"

// Doc describes one key.
type Doc struct {
	Key     string // dotted; NAME stands for a map's keys, 0 for a list's indices
	Type    string // what a value must be
	Default string // as YAML; "" where there is none
	Range   string // the range or the words that are allowed, or ""
	Doc     string
}

// Docs lists the keys of the struct v, a pointer whose values are the defaults, in the order of its fields. It panics on a malformed range tag, so
// that a test which calls it finds one.
func Docs(v any) []Doc {
	var out []Doc
	docs(&out, "", reflect.Indirect(reflect.ValueOf(v)))
	return out
}

// docs lists the fields of struct v.
func docs(out *[]Doc, key string, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if name := f.Tag.Get("yaml"); name != "" {
			docValue(out, Doc{Key: join(key, name), Doc: f.Tag.Get("doc")}, v.Field(i), f.Tag)
		}
	}
}

// docValue adds d, the description of v, and what is below it.
func docValue(out *[]Doc, d Doc, v reflect.Value, tag reflect.StructTag) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			d.Default = "null"
			v = fresh(v.Type().Elem())
		} else {
			v = v.Elem()
		}
	}
	below := func(key string, t reflect.Type) { // elements: only structs have something to say
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() == reflect.Struct && t != memberType {
			docs(out, join(d.Key, key), fresh(t))
		}
	}
	switch {
	case v.Type() == memberType:
		m := v.Interface().(Member)
		d.Type, d.Default = "a name, or {name: ..., and options}", m.Name
	case v.Kind() == reflect.Struct:
		d.Type = "an object"
		*out = append(*out, d)
		docs(out, d.Key, v)
		return
	case v.Kind() == reflect.Map:
		d.Type = "named entries"
		*out = append(*out, d)
		below("NAME", v.Type().Elem())
		return
	case v.Kind() == reflect.Slice:
		d.Type = "a list"
		t := v.Type().Elem()
		if k := t.Kind(); k != reflect.Struct && k != reflect.Slice && k != reflect.Map && k != reflect.Pointer {
			d.Type = "a list, each " + typeName(t)
			e := encoder{}
			e.list(d.Key, v, 0)
			d.Default = string(e.b.Bytes()[1 : e.b.Len()-1])
			d.Range = allowed(tag, t)
		}
		*out = append(*out, d)
		below("0", t)
		return
	default:
		d.Type, d.Default, d.Range = typeName(v.Type()), scalarText(v), allowed(tag, v.Type())
	}
	*out = append(*out, d)
}

// allowed returns the range or the words of a tag.
func allowed(tag reflect.StructTag, t reflect.Type) string {
	if r := tag.Get("range"); r != "" {
		parseRange(r, t)
		return r
	}
	return tag.Get("oneof")
}
