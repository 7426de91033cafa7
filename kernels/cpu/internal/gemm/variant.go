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
	mask   uint64         // valid columns, one bit each
	add    unsafe.Pointer // what is added to the product, or nil
	bias   unsafe.Pointer
	bs     int // bytes from row to row of B
	far    int // 1: add or C is not expected in the first-level cache; 2: C is whole lines that nobody reads soon
	ldadd  int // bytes
	relu   uint64
	pack   unsafe.Pointer // where the panel is copied to on the way, or nil
}

// Variant is one implementation of the micro-kernel and of the packing loops.
type Variant struct {
	Name string
	mr   int                       // most rows of a tile
	run  func(t *tile, mr, nr int) // mr rows by nr <= Panel columns
	relu bool                      // run applies ReLU
	pack bool                      // run copies whole panels that it reads where they lie

	// wide computes one row and widePanels whole panels of a B that is read where it lies, to the same bits as run; nil: there is no such kernel.
	wide func(t *tile)
	// copyRows copies k rows of n columns, step elements apart in dst; row i is row index[i] of src with an index. With pad, n <= Panel and
	// the columns up to Panel become zero.
	copyRows func(dst, src []float32, stride, k, n, step int, index []int32, pad bool)
	// copyTiles copies k rows of 48 columns to four tiles of 12 columns that are far elements apart, of index with an index; nil: one tile at a time.
	copyTiles func(dst, src []float32, stride, k, far int, index []int32)
	// fetch asks for n elements of each of some rows ahead of their use; nil: nothing to ask.
	fetch func(src []float32, stride, rows, n int)
	// touch reads n elements of each of some rows; nil: nothing.
	touch func(src []float32, stride, rows, n int)
	// half multiplies bfloat16 operands; nil: they are multiplied as float32.
	half *half
	// transpose packs n <= Panel columns that are contiguous along k: dst[i*Panel+j] = src[j*stride+i]; other columns become zero.
	transpose func(dst, src []float32, stride, k, n int)
}

// AppliesReLU tells whether products of v can have Product.ReLU.
func (v *Variant) AppliesReLU() bool { return v.relu }

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
