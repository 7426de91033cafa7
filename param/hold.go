package param

import "artel/kernels"

// Held is the gradient of the matrices of a bank before it is made: the operands of a product, GradW without Dst and Touched. They last as long as the recording.
type Held struct {
	Bank *Bank
	Grad kernels.GradW
	Segs []int32 // the elements of Grad.Segs
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

// Hold takes the operands of a bank's gradient, with the elements of its segments; its parameters have no other use in the recording.
func (k *Sink) Hold(b *Bank, g kernels.GradW, segs []int32) {
	for i := range g.Segs.Dim(0) {
		if s := segs[i*kernels.SegCols:]; s[4] > 0 {
			k.touched.I32()[b.Experts[s[0]].Index*k.Tasks+int(s[1])] = 1
		}
	}
	k.keep(Held{b, g, segs})
}
