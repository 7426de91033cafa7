package driver

import "fmt"

// Check applies the documented limits of cuTensorMapEncodeTiled, which answers every mistake with the same code.
func (t *Tiled) Check() error {
	bad := func(format string, args ...any) error { return fmt.Errorf("tensor map: "+format, args...) }
	size := t.Type.Size()
	switch {
	case size == 0:
		return bad("element type %d: got an unknown one", t.Type)
	case t.Rank < 1 || t.Rank > MaxTensorMapRank:
		return bad("rank: got %d, want 1 to %d", t.Rank, MaxTensorMapRank)
	case t.Base == 0 || t.Base%16 != 0:
		return bad("base %#x: want a multiple of 16", uint64(t.Base))
	case t.Swizzle < NoSwizzle || t.Swizzle > Swizzle128:
		return bad("swizzle: got %d, want 0 to %d", t.Swizzle, Swizzle128)
	}
	for i := range t.Rank {
		switch {
		case t.Dims[i] == 0 || t.Dims[i] > 1<<32:
			return bad("dimension %d: got %d elements, want 1 to 2^32", i, t.Dims[i])
		case t.Box[i] == 0 || t.Box[i] > 256:
			return bad("box %d: got %d elements, want 1 to 256", i, t.Box[i])
		case t.Steps[i] == 0 || t.Steps[i] > 8:
			return bad("step %d: got %d, want 1 to 8", i, t.Steps[i])
		case i > 0 && (t.Strides[i-1]%16 != 0 || t.Strides[i-1] >= 1<<40):
			return bad("stride %d: got %d bytes, want a multiple of 16 below 2^40", i, t.Strides[i-1])
		}
	}
	row := int(t.Box[0]) * size
	if row%16 != 0 {
		return bad("box 0: got %d bytes, want a multiple of 16", row)
	}
	if wide := 16 << t.Swizzle; t.Swizzle != NoSwizzle && row > wide {
		return bad("box 0: got %d bytes, want at most the %d of the swizzle", row, wide)
	}
	return nil
}
