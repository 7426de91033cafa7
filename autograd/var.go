package autograd

import (
	"artel/tensor"
)

// Var is a value on a tape.
type Var struct {
	Value tensor.Tensor
	Space *Space // the rows of Value

	grad    tensor.Tensor // [C,...], once something was written
	written blockSet      // blocks of the space whose cotangent is written
	needs   bool          // a parameter or another leaf with gradient lies below
	reach   uint64        // tasks whose loss depends on this value
	made    int           // record that produced it, -1 for a leaf
	lastUse int           // last record that reads it so far, -1 for none

	parent *Var // for a task view: the value it is a part of
	block  int  // for a task view: the parent's block
}

// Rows returns the number of activation rows.
func (v *Var) Rows() int { return v.Value.Dim(0) }

// Reach returns the tasks whose losses depend on v, during Tape.Reach: what a ParamUser passes on.
func (v *Var) Reach() uint64 { return v.reach }

// Cols returns the width of the rows.
func (v *Var) Cols() int { return v.Value.Dim(1) }

// blockSet is a set of block numbers.
type blockSet [4]uint64

// maxBlocks is the largest number of blocks of a space.
const maxBlocks = 256

func (b *blockSet) has(i int) bool { return b[i/64]>>(i%64)&1 != 0 }
func (b *blockSet) add(i int)      { b[i/64] |= 1 << (i % 64) }

// addAll adds 0..n-1.
func (b *blockSet) addAll(n int) {
	for i := 0; i < n; i++ {
		b.add(i)
	}
}
