package param

import (
	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

// shadow gives the set a copy of its parameters in bfloat16 where products read such operands; without it they round the parameters themselves, in every product anew.
// In the host's memory that is worth as much as keeping the copy costs (benchmarks/LOG.md), so it is for memory apart.
func (s *Set) shadow(be *kernels.Backend) {
	s.be = be
	if be.Halves && be.Apart {
		s.Half = be.New(dtype.BF16, s.Flat.Len())
		for _, p := range s.Params {
			p.half = tensor.Of(s.Half.Storage(), p.Off, p.shape...)
		}
	}
	s.Refresh(0, s.Flat.Len())
}

// Refresh makes elements [lo,hi) of Half those of Flat, rounded, and ends Keep. Whoever writes parameters calls it before the next product.
func (s *Set) Refresh(lo, hi int) {
	s.Keep(false)
	if s.Half.Ok() {
		s.be.Copy(kernels.Copy{Dst: s.Half.Narrow(0, lo, hi-lo), Src: s.Flat.Narrow(0, lo, hi-lo)})
	}
}

// Keep says that products will read the parameters several times before they are written; see kernels.Backend.Keep. It lasts until Refresh.
func (s *Set) Keep(on bool) {
	if on != s.kept {
		s.kept = on
		s.be.Keep(s.Flat.Storage(), on)
	}
}

// Operand returns the parameter for a product, rounded to bfloat16 where the set has a copy of that kind.
func (p *Param) Operand() tensor.Tensor {
	if p.half.Ok() {
		return p.half
	}
	return p.Value
}

// Operand returns the bank for a product, as Value does; see Param.Operand.
func (b *Bank) Operand() tensor.Tensor { return b.of(b.Experts[0].Operand()) }
