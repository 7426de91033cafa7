package gemm

import (
	"fmt"
	"strings"
	"unsafe"
)

// Panel is the number of columns of a packed panel.
const Panel = 32

// tile is the argument of a micro-kernel; the assembly knows its layout.
type tile struct {
	a      unsafe.Pointer
	rs, cs int // bytes
	b      unsafe.Pointer
	c      unsafe.Pointer
	ldc    int // bytes
	k      int
	mask   uint64 // valid columns, one bit each
	acc    uint64 // add to C
	bias   unsafe.Pointer
}

// Variant is one implementation of the micro-kernel.
type Variant struct {
	Name string
	mr   int                                        // most rows of a tile
	run  func(t *tile, mr, nr int)                  // mr rows by nr <= Panel columns of a panel
	pack func(dst, src []float32, stride, k, n int) // transposing pack, nil for plain Go
}

// Variants lists what this build can run on this processor, the best first. The plain Go one is always there.
func Variants() []*Variant { return append(archVariants(), generic) }

// Find returns the variant called name, the best one for "", or an error that lists the names.
func Find(name string) (*Variant, error) {
	vs := Variants()
	if name == "" {
		return vs[0], nil
	}
	var names []string
	for _, v := range vs {
		if v.Name == name {
			return v, nil
		}
		names = append(names, v.Name)
	}
	return nil, fmt.Errorf("cpu: kernel variant %q is not available here, want one of %s", name, strings.Join(names, ", "))
}
