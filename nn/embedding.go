package nn

import (
	"artel/autograd"
	"artel/param"
	"artel/tensor"
)

// EmbeddingBag sums or averages the table rows of a bag of ids; with one id per row it is an embedding.
type EmbeddingBag struct {
	Table *param.Param // [V,D]
	Mean  bool
}

// NewEmbeddingBag declares name.table with normal values of standard deviation 1/sqrt(D).
func NewEmbeddingBag(b *param.Builder, key param.Key, name string, vocabulary, width int, mean bool) *EmbeddingBag {
	return &EmbeddingBag{Table: b.Add(key, name+".table", false, KaimingNormal(2*width, 0), vocabulary, width), Mean: mean}
}

// Forward gives rows [N,D] for bags ids[off[i]:off[i+1]]; without off every row has one id.
//
//	ids I32 [L]  off I32 [N+1] or none
func (e *EmbeddingBag) Forward(t *autograd.Tape, ids, off tensor.Tensor, s *autograd.Space) *autograd.Var {
	return autograd.Embed(t, e.Table, ids, off, e.Mean, s)
}
