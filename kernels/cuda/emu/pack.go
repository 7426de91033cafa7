package emu

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Pack lays out arguments as the kernel's parameter block. Each argument is a Ptr, an integer, float32, float64, bool or []byte of
// exactly the parameter's size; integers that do not fit are errors.
func (f *Function) Pack(args ...any) ([]byte, error) {
	if len(args) != len(f.asm.Params) {
		return nil, fmt.Errorf("emu: %s takes %d parameters, got %d", f.name, len(f.asm.Params), len(args))
	}
	out := make([]byte, f.asm.ParamSize)
	for i, p := range f.asm.Params {
		b, err := packed(args[i], p.Size)
		if err != nil {
			return nil, fmt.Errorf("emu: %s, parameter %d: %w", f.name, i, err)
		}
		copy(out[p.Offset:], b)
	}
	return out, nil
}

// packed returns the bytes of one argument.
func packed(arg any, size int) ([]byte, error) {
	var v uint64
	n := size
	switch a := arg.(type) {
	case []byte:
		if len(a) != size {
			return nil, fmt.Errorf("%d bytes, want %d", len(a), size)
		}
		return a, nil
	case Ptr:
		v, n = uint64(a), 8
	case uint64:
		v, n = a, 8
	case int64:
		v, n = uint64(a), 8
	case uint32:
		v, n = uint64(a), 4
	case int32:
		v, n = uint64(uint32(a)), 4
	case uint16:
		v, n = uint64(a), 2
	case uint8:
		v, n = uint64(a), 1
	case bool:
		if n = 1; a {
			v = 1
		}
	case float32:
		v, n = uint64(math.Float32bits(a)), 4
	case float64:
		v, n = math.Float64bits(a), 8
	case int:
		if size < 8 && (int64(a) >= 1<<(8*size) || int64(a) < -1<<(8*size-1)) {
			return nil, fmt.Errorf("%d does not fit %d bytes", a, size)
		}
		v = uint64(a)
	default:
		return nil, fmt.Errorf("type %T is not a parameter's", arg)
	}
	if n != size {
		return nil, fmt.Errorf("%T has %d bytes, want %d", arg, n, size)
	}
	return binary.LittleEndian.AppendUint64(nil, v)[:size], nil
}
