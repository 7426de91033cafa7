package config

import "reflect"

// Doc describes one key.
type Doc struct{ Key, Type, Default, Range, Doc string }

// Docs lists the keys of the struct v, a pointer whose values are the defaults. Elements of lists stand under index 0.
func Docs(v any) []Doc {
	var out []Doc
	docs(&out, "", reflect.Indirect(reflect.ValueOf(v)))
	return out
}

func docs(out *[]Doc, key string, v reflect.Value) {
	for i := 0; i < v.NumField(); i++ {
		f := v.Type().Field(i)
		name := f.Tag.Get("yaml")
		if name == "" {
			continue
		}
		k, x := join(key, name), v.Field(i)
		if x.Kind() == reflect.Pointer {
			x = fresh(x.Type().Elem())
		}
		d := Doc{Key: k, Doc: f.Tag.Get("doc"), Range: f.Tag.Get("range")}
		if d.Range == "" {
			d.Range = f.Tag.Get("oneof")
		}
		switch {
		case x.Type() == memberType:
			d.Type, d.Default = "member", x.Interface().(Member).Name
		case x.Kind() == reflect.Struct:
			*out = append(*out, Doc{Key: k, Type: "object", Doc: d.Doc})
			docs(out, k, x)
			continue
		case x.Kind() == reflect.Slice && x.Type().Elem().Kind() == reflect.Struct && x.Type().Elem() != memberType:
			*out = append(*out, Doc{Key: k, Type: "list", Doc: d.Doc})
			docs(out, join(k, "0"), fresh(x.Type().Elem()))
			continue
		case x.Kind() == reflect.Slice || x.Kind() == reflect.Map:
			d.Type = x.Type().String()
		default:
			d.Type, d.Default = typeName(x.Type()), scalarText(x)
		}
		*out = append(*out, d)
	}
}
