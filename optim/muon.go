package optim

import (
	"math"

	"artel/dtype"
	"artel/kernels"
	"artel/tensor"
)

func init() {
	Register(Entry{
		Name: "muon",
		Ref:  "Jordan et al. 2024; order and scaling of torch.optim.Muon; parameters that are no matrices are updated by AdamW",
		Doc: "m = mu*m + (1-mu)*g; u = (1-mu)*g + mu*m (nesterov) or m; X = u/|u|; five times X = a X + (b A + c A^2) X with A = X X^T; " +
			"p = (1 - lr*decay)*p - lr*k*X",
		Config: func() any {
			return &MuonConfig{Momentum: 0.95, Nesterov: true, Steps: 5, Eps: 1e-7, AdjustLR: "original", Adam: AdamConfig{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}, AdamLRScale: 0.1}
		},
		New: func(cfg any) (Rule, error) { return muon{*cfg.(*MuonConfig)}, nil },
	})
}

// MuonConfig holds the options of muon.
type MuonConfig struct {
	Momentum    float64    `yaml:"momentum" doc:"decay of the mean of gradients" range:"0..<1"`
	Nesterov    bool       `yaml:"nesterov" doc:"look ahead along the momentum"`
	Steps       int        `yaml:"steps" doc:"Newton-Schulz iterations" range:"1..20"`
	Eps         float64    `yaml:"eps" doc:"smallest norm that a momentum is divided by" range:"0<..1"`
	AdjustLR    string     `yaml:"adjust_lr" doc:"original: lr*sqrt(max(1, out/in)); match_rms_adamw: lr*0.2*sqrt(max(in, out))" oneof:"original match_rms_adamw"`
	Adam        AdamConfig `yaml:"adam" doc:"for parameters that are no matrices"`
	AdamLRScale float64    `yaml:"adam_lr_scale" doc:"factor of the learning rate for those" range:"0<.."`
}

type muon struct{ MuonConfig }

// Slots are shared between both rules: matrices use the first one as momentum, other parameters use both as m and v.
func (u muon) Slots() []string { return []string{"m", "v"} }

// Quintic coefficients of the Newton-Schulz iteration.
const nsA, nsB, nsC = 3.4445, -4.7750, 2.0315

func (u muon) Update(b *kernels.Backend, r *Run) error {
	at := 0
	for _, m := range r.Matrices {
		u.vectors(b, r, at, m.Off)
		u.matrix(b, r, m)
		at = m.Off + m.Rows*m.Cols
	}
	u.vectors(b, r, at, r.P.Dim(0))
	return nil
}

// vectors updates elements [lo,hi), which belong to no matrix, by AdamW.
func (u muon) vectors(b *kernels.Backend, r *Run, lo, hi int) {
	if lo == hi {
		return
	}
	cut := func(t tensor.Tensor) tensor.Tensor { return t.Narrow(0, lo, hi-lo) }
	b.Adam(kernels.Adam{
		P: cut(r.P), G: cut(r.G), M: cut(r.Slots[0]), V: cut(r.Slots[1]), LR: r.LR * u.AdamLRScale, Beta1: u.Adam.Beta1, Beta2: u.Adam.Beta2,
		Eps: u.Adam.Eps, Decay: r.Decay, Scale: r.Scale, Step: r.Step, Decoupled: true,
	})
}

// matrix updates one matrix [in,out].
func (u muon) matrix(b *kernels.Backend, r *Run, m Matrix) {
	r.Scratch.Reset()
	view := func(t tensor.Tensor) tensor.Tensor {
		return t.Narrow(0, m.Off, m.Rows*m.Cols).Reshape(m.Rows, m.Cols)
	}
	p, g, buf := view(r.P), view(r.G), view(r.Slots[0])
	b.Axpy(kernels.Axpy{Dst: buf, Src: buf, Alpha: u.Momentum})
	b.Axpy(kernels.Axpy{Dst: buf, Src: g, Alpha: r.Scale * (1 - u.Momentum), Accumulate: true})
	x := r.Scratch.New(b.Float, m.Rows, m.Cols)
	if u.Nesterov {
		b.Axpy(kernels.Axpy{Dst: x, Src: buf, Alpha: u.Momentum})
		b.Axpy(kernels.Axpy{Dst: x, Src: g, Alpha: r.Scale * (1 - u.Momentum), Accumulate: true})
	} else {
		b.Axpy(kernels.Axpy{Dst: x, Src: buf, Alpha: 1})
	}
	x = u.orthogonal(b, r.Scratch, x)

	in, out := float64(m.Rows), float64(m.Cols)
	k := math.Sqrt(math.Max(1, out/in))
	if u.AdjustLR == "match_rms_adamw" {
		k = 0.2 * math.Sqrt(math.Max(in, out))
	}
	b.Axpy(kernels.Axpy{Dst: p, Src: p, Alpha: 1 - r.LR*r.Decay})
	b.Axpy(kernels.Axpy{Dst: p, Src: x, Alpha: -r.LR * k, Accumulate: true})
}

// orthogonal returns the nearest matrix with singular values near 1.
func (u muon) orthogonal(b *kernels.Backend, scratch *tensor.Arena, x tensor.Tensor) tensor.Tensor {
	rows, cols := x.Dim(0), x.Dim(1)
	sq := scratch.New(dtype.F64, 1)
	b.Fill(sq, 0)
	b.SumSquares(kernels.SumSquares{Dst: sq, X: x.Reshape(rows * cols)})
	b.Axpy(kernels.Axpy{Dst: x, Src: x, Alpha: 1 / math.Max(math.Sqrt(sq.F64()[0]), u.Eps)})
	small := min(rows, cols)
	a, c := scratch.New(b.Float, small, small), scratch.New(b.Float, small, small)
	y := scratch.New(b.Float, rows, cols)
	for i := 0; i < u.Steps; i++ {
		// The Gram matrix of the shorter side: A = X X^T, or X^T X for a tall X.
		if rows <= cols {
			b.GEMM(kernels.GEMM{A: x, B: x.T(), C: a})
		} else {
			b.GEMM(kernels.GEMM{A: x.T(), B: x, C: a})
		}
		b.GEMM(kernels.GEMM{A: a, B: a, C: c})
		b.Axpy(kernels.Axpy{Dst: c, Src: c, Alpha: nsC})
		b.Axpy(kernels.Axpy{Dst: c, Src: a, Alpha: nsB, Accumulate: true})
		b.Axpy(kernels.Axpy{Dst: y, Src: x, Alpha: nsA})
		if rows <= cols {
			b.GEMM(kernels.GEMM{A: c, B: x, C: y, Accumulate: true})
		} else {
			b.GEMM(kernels.GEMM{A: x, B: c, C: y, Accumulate: true})
		}
		x, y = y, x
	}
	return x
}
