package param

import (
	"artel/kernels"
	"artel/tensor"
)

// Held is the gradient of the matrices of a bank before it is made: the operands of a product, GradW without Dst and Touched. They last as long as the recording.
type Held struct {
	Bank *Bank
	Grad kernels.GradW
	Segs tensor.Tensor // Grad.Segs where the host reaches them, once the ops so far have finished
}

// NewHolding is NewPerTask without rows for the groups with hold: what would make them goes to keep instead.
func NewHolding(be *kernels.Backend, s *Set, tasks int, reach []uint64, hold []bool, keep func(Held)) (*Sink, error) {
	k, err := newSink(be, s, tasks, reach, hold)
	if err != nil {
		return nil, err
	}
	k.Jac = be.New(be.Float, tasks, k.Cols)
	k.places = newPlaces(be, s, k.place)
	k.keep = keep
	return k, nil
}

// Holds reports whether the sink takes the operands of the group's gradients.
func (k *Sink) Holds(g *Group) bool { return k.hold != nil && k.hold[g.Index] }

// Hold takes the operands of a bank's gradient, whose parameters have no other use in the recording. segs is g.Segs where the host reaches them. The flags of the bank stay as
// they are: who takes the operands knows from segs which tasks have a gradient.
func (k *Sink) Hold(b *Bank, g kernels.GradW, segs tensor.Tensor) { k.keep(Held{b, g, segs}) }
