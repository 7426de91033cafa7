package cpu

import (
	"artel/kernels"
	"artel/kernels/cpu/internal/gemm"
)

// epilogueArgs holds what follows a product element by element, while it runs.
type epilogueArgs struct {
	f             kernels.Unary
	out, residual rows
	scale         []float32
}

func (b *backend) gemmOp(a kernels.GEMM, after afterFunc, run func()) {
	c, x, y := a.C, a.A, a.B
	follows := a.F != kernels.Identity || a.Scale.Ok() || a.Pre.Ok()
	if c.Stride(1) != 1 && c.Dim(1) > 1 && !a.Bias.Ok() && !a.Residual.Ok() && !follows { // C is a transposed view: C' = B'A'
		c, x, y = c.T(), y.T(), x.T()
	}
	p := gemm.Product{M: c.Dim(0), N: c.Dim(1), K: x.Dim(1), A: mat(x), B: mat(y), C: c.F32(), LDC: c.Stride(0), Acc: a.Accumulate, Bias: floats(a.Bias)}
	switch {
	case !follows && a.Residual.Ok():
		p.Add, p.LDAdd = a.Residual.F32(), a.Residual.Stride(0)
	case !follows:
	case a.F == kernels.ReLU && b.gemm.AppliesReLU() && !a.Scale.Ok() && !a.Pre.Ok() && !a.Residual.Ok():
		p.ReLU = true
	default:
		b.epilogue = epilogueArgs{f: a.F, out: matrix(a.C), residual: matrix(a.Residual), scale: floats(a.Scale)}
		if a.Pre.Ok() {
			p.C, p.LDC = a.Pre.F32(), a.Pre.Stride(0)
		}
		p.After, p.Loose = after, true
	}
	b.weights(&p, y)
	b.products = append(b.products[:0], p)
	run()
	b.epilogue = epilogueArgs{} // or memory that an arena gives back would stay
}

// afterProduct makes columns [j0,j1) of the result from those of the product, which c begins with and which may be the same memory.
func (b *backend) afterProduct(p *gemm.Product, c []float32, lo, hi, j0, j1 int) {
	e := &b.epilogue
	for i := lo; i < hi; i++ {
		dst := e.out.row(i)[j0:j1]
		b.mapRow(e.f, dst, c[(i-lo)*p.LDC:][:j1-j0])
		if e.scale != nil {
			b.vec.Scale(dst, dst, e.scale[i])
		}
		if e.residual.ok() {
			b.vec.Axpy(dst, e.residual.row(i)[j0:j1], 1)
		}
	}
}
