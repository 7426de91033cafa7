// Package dtype names the element types that tensors, files and kernels agree on.
package dtype

import "fmt"

// Type is an element type. The zero value is Invalid.
type Type uint8

// The element types. F16 and I64 exist in files only; no kernel computes in them.
const (
	Invalid Type = iota
	F32
	F64
	BF16
	I32
	F16
	I64
)

// names holds the safetensors spelling of every type.
var names = [...]string{Invalid: "invalid", F32: "F32", F64: "F64", BF16: "BF16", I32: "I32", F16: "F16", I64: "I64"}

// String returns the safetensors spelling: F32, F64, BF16, I32, F16 or I64.
func (t Type) String() string {
	if int(t) < len(names) {
		return names[t]
	}
	return fmt.Sprintf("dtype(%d)", uint8(t))
}

// Size returns the bytes of one element, 0 for Invalid.
func (t Type) Size() int {
	switch t {
	case F32, I32:
		return 4
	case F64, I64:
		return 8
	case BF16, F16:
		return 2
	}
	return 0
}

// Float reports whether t holds real numbers.
func (t Type) Float() bool { return t == F32 || t == F64 || t == BF16 || t == F16 }

// Parse returns the type with the given safetensors spelling.
func Parse(s string) (Type, error) {
	for i, n := range names {
		if n == s && i != int(Invalid) {
			return Type(i), nil
		}
	}
	return Invalid, fmt.Errorf("dtype: got %q, want F32, F64, BF16, I32, F16 or I64", s)
}
