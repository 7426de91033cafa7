package config

import (
	"reflect"
	"strconv"
	"strings"
)

// applyOverride decodes one argument into the struct v.
func (d *decoder) applyOverride(v reflect.Value, o override) {
	key := strings.Join(o.path, ".")
	var tag reflect.StructTag
	for i, part := range o.path {
		for v.Kind() == reflect.Pointer {
			if v.IsNil() {
				p := reflect.New(v.Type().Elem())
				p.Elem().Set(fresh(v.Type().Elem()))
				v.Set(p)
			}
			v = v.Elem()
		}
		if v.Type() == memberType {
			d.overrideMember(v.Addr().Interface().(*Member), strings.Join(o.path[:i], "."), o.path[i:], o)
			return
		}
		at := strings.Join(o.path[:i+1], ".")
		switch v.Kind() {
		case reflect.Struct:
			j := fieldIndex(v.Type(), part)
			if j < 0 {
				// The same message as for a file: decode a one-entry object.
				d.object(strings.Join(o.path[:i], "."), &node{kind: object, at: o.at, fields: []field{{name: part, at: o.at, value: o.value}}}, v)
				return
			}
			tag, v = v.Type().Field(j).Tag, v.Field(j)
		case reflect.Slice:
			j, err := strconv.Atoi(part)
			if err != nil || j < 0 || j >= v.Len() {
				d.fail(o.at, at, "want an index from 0 to %d", v.Len()-1)
				return
			}
			v = v.Index(j)
		case reflect.Map:
			e := fresh(v.Type().Elem())
			if v.IsNil() {
				v.Set(reflect.MakeMap(v.Type()))
			}
			k := reflect.ValueOf(part)
			if old := v.MapIndex(k); old.IsValid() {
				e.Set(old)
			}
			rest := override{path: o.path[i+1:], value: o.value, at: o.at}
			if len(rest.path) == 0 {
				d.value(key, o.value, e, tag)
			} else {
				d.applyOverride(e, rest)
			}
			v.SetMapIndex(k, e)
			return
		default:
			d.fail(o.at, at, "there are no keys below %s", strings.Join(o.path[:i], "."))
			return
		}
	}
	d.value(key, o.value, v, tag)
}

// overrideMember sets an option of a member, or its name by "name".
func (d *decoder) overrideMember(m *Member, key string, path []string, o override) {
	root := m.options
	if root == nil {
		root = &node{kind: object, at: o.at}
	}
	if path[0] == "name" && len(path) == 1 {
		d.decodeMember(key, o.value, m)
		return
	}
	d.errs = append(d.errs, override{path: path, value: o.value, at: o.at}.set(root)...)
	m.key, m.options = key, root
	if d.origins != nil {
		d.origins.at[join(key, strings.Join(path, "."))] = o.at
	}
}
