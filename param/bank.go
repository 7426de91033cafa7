package param

import "artel/tensor"

// Bank is the same matrix of every expert of a layer, seen as one strided tensor [E,rows,cols].
type Bank struct{ Experts []*Param }

// Value returns the bank as [E,rows,cols]. The experts' parameters lie at equal distances because every expert's group
// is declared alike.
func (b *Bank) Value() tensor.Tensor { return b.of(b.Experts[0].Value) }

// of views the memory behind the first expert's matrix as that of all.
func (b *Bank) of(first tensor.Tensor) tensor.Tensor {
	p := b.Experts[0]
	return first.Strided(
		[]int{len(b.Experts), p.shape[0], p.shape[1]},
		[]int{b.distance(), p.shape[1], 1})
}

// distance is the number of elements from one expert's matrix to the next one's.
func (b *Bank) distance() int {
	if len(b.Experts) == 1 {
		return 0
	}
	return b.Experts[1].Off - b.Experts[0].Off
}
