package observe

import (
	"reflect"

	"artel/kernels"
	"artel/tensor"
)

// updated names fields that an op reads and writes: they move twice.
var updated = map[string][]string{
	"SGD":      {"P", "M"},
	"Adam":     {"P", "M", "V"},
	"Lion":     {"P", "M"},
	"MaskRows": {"J"},
	"Track":    {"Y"},
	"Excess":   {"S"},
	"Select":   {"Dst"},
}

// target names the field that an op with Accumulate adds to.
var target = [...]string{"Dst", "C", "DX", "DH"}

// unseen names fields whose contents nobody reads: room for what an op may keep in registers instead.
var unseen = map[string]string{"GroupedGatedGrad": "DA"}

// picked names, for a field, the fields that may hold the numbers of its rows that are read.
var picked = map[string][]string{
	"A":     {"Index"},
	"X":     {"Index", "XIndex"},
	"DY":    {"Index", "YIndex"},
	"Src":   {"Index", "Inv"},
	"Table": {"IDs"},
}

// Bytes is what the op must move at least: every element of its operands once, those that it adds to or updates twice; of operands whose rows are picked by an index no more rows
// than it has entries. Rows that only a device can count (an upper bound of routed rows) count in full.
func (o Op) Bytes() (n int64) {
	for _, a := range o.args {
		switch v := a.Interface().(type) {
		case tensor.Tensor:
			n += bytes(v)
		default:
			n += o.fields(a)
		}
	}
	return n
}

// fields adds up the tensors of an argument struct, and of the structs that it points to.
func (o Op) fields(a reflect.Value) (n int64) {
	if a.Kind() == reflect.Pointer {
		a = a.Elem()
	}
	if a.Kind() != reflect.Struct {
		return 0
	}
	for i := range a.NumField() {
		name := a.Type().Field(i).Name
		t, ok := a.Field(i).Interface().(tensor.Tensor)
		if !ok {
			n += o.fields(a.Field(i))
			continue
		}
		if t.Ok() && unseen[o.Name] != name {
			n += bytes(t) * int64(o.rows(a, name, t)) / int64(max(1, t.Dim(0))) * o.times(a, name)
		}
	}
	return n
}

// rows is the number of rows of a field that the op touches.
func (o Op) rows(a reflect.Value, name string, t tensor.Tensor) int {
	for _, by := range picked[name] {
		if f := a.FieldByName(by); f.IsValid() {
			if index, ok := f.Interface().(tensor.Tensor); ok && index.Ok() {
				return min(t.Dim(0), index.Len())
			}
		}
	}
	return t.Dim(0)
}

// times is 2 for a field that is read and written.
func (o Op) times(a reflect.Value, name string) int64 {
	for _, u := range updated[o.Name] {
		if u == name {
			return 2
		}
	}
	if acc := a.FieldByName("Accumulate"); acc.IsValid() && acc.Bool() {
		for _, f := range target {
			if a.FieldByName(f).IsValid() {
				if f == name {
					return 2
				}
				return 1
			}
		}
	}
	return 1
}

// bytes is the size of the distinct elements of t: a stride of 0 repeats them.
func bytes(t tensor.Tensor) int64 {
	if !t.Ok() {
		return 0
	}
	n := int64(t.Type.Size())
	for i := range t.Rank() {
		if t.Stride(i) != 0 || t.Dim(i) == 0 {
			n *= int64(t.Dim(i))
		}
	}
	return n
}

// FLOPs is the arithmetic of a product, two per multiply-add, and 0 for other ops. Routed rows count as many as there can be.
func (o Op) FLOPs() int64 {
	if len(o.args) == 0 {
		return 0
	}
	product := func(m, n, k int) int64 { return 2 * int64(m) * int64(n) * int64(k) }
	switch a := o.args[0].Interface().(type) {
	case kernels.GEMM:
		return product(a.C.Dim(0), a.C.Dim(1), a.A.Dim(1))
	case kernels.GroupedGEMM:
		return product(a.C.Dim(0), a.C.Dim(1), a.B.Dim(1))
	case kernels.GroupedGated:
		return product(a.H.Dim(0), a.H.Dim(1), a.B.Dim(1))
	case kernels.GroupedGatedGrad:
		return product(a.DA.Dim(0), a.DA.Dim(1), a.B.Dim(1))
	case kernels.GradW:
		n := a.DY.Dim(0)
		if a.YIndex.Ok() {
			n = a.YIndex.Len()
		}
		return product(n, a.Dst.Dim(2), a.Dst.Dim(3))
	}
	return 0
}
