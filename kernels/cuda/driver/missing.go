package driver

import (
	"fmt"
	"reflect"
	"strings"
)

// Missing lists the calls that a provider lacks, in the order of the struct.
func (a *API) Missing() []string {
	var out []string
	var walk func(reflect.Value)
	walk = func(v reflect.Value) {
		for i := range v.NumField() {
			switch f := v.Field(i); f.Kind() {
			case reflect.Struct:
				walk(f)
			case reflect.Func:
				if f.IsNil() {
					out = append(out, v.Type().Field(i).Name)
				}
			}
		}
	}
	walk(reflect.ValueOf(*a))
	return out
}

// Complete returns an error that names the calls a provider lacks.
func (a *API) Complete() error {
	if m := a.Missing(); len(m) > 0 {
		return fmt.Errorf("driver %s lacks %s", a.Name, strings.Join(m, ", "))
	}
	return nil
}
