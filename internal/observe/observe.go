// Package observe watches the ops of a backend: which of them run, and what each must compute and move at least.
package observe

import (
	"reflect"

	"artel/kernels"
)

// Op is one call of an op.
type Op struct {
	Name string // of the field of kernels.Backend, such as "GroupedGEMM"
	args []reflect.Value
}

// Backend returns a copy of be whose ops are made inside calls of around, which calls run once. Ops that be makes of other ops itself are one op.
func Backend(be *kernels.Backend, around func(op Op, run func())) *kernels.Backend {
	out := *be
	families := reflect.ValueOf(&out).Elem()
	for i := range families.NumField() {
		family := families.Field(i)
		if family.Kind() != reflect.Struct {
			continue
		}
		for j := range family.NumField() {
			if f := family.Field(j); f.Kind() == reflect.Func && !f.IsNil() {
				f.Set(watched(family.Type().Field(j).Name, reflect.ValueOf(f.Interface()), around))
			}
		}
	}
	return &out
}

// watched is f with around about it.
func watched(name string, f reflect.Value, around func(Op, func())) reflect.Value {
	return reflect.MakeFunc(f.Type(), func(args []reflect.Value) (out []reflect.Value) {
		around(Op{name, args}, func() { out = f.Call(args) })
		return out
	})
}
