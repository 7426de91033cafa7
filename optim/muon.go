package optim

import (
	"math"

	"artel/kernels"
	"artel/tensor"

	"github.com/pkg/errors"
)

func init() {
	Register(Entry{
		Name: "muon",
		Ref:  "Jordan et al. 2024, Muon: an optimizer for hidden layers; Liu et al. 2025 (arXiv 2502.16982); order of torch.optim.Muon",
		Doc: "matrices: m = mu*m + (1-mu)*g; u = (1-mu)*g + mu*m (nesterov) or m; p = (1 - lr*decay)*p - lr*k*O with O the orthogonal factor of u by " +
			"Newton-Schulz steps. Other parameters, embeddings and heads: adamw.",
		Ops:    []string{"Adam", "SGD", "Axpy", "Copy", "GEMM", "RMSNorm"},
		Golden: []string{"muon"},
		Config: func() any {
			return &MuonConfig{
				Momentum: 0.95, Nesterov: true, Steps: 5, Eps: 1e-7, AdjustLR: matchRMS,
				Adam: *newAdamConfig().(*AdamConfig), AdamLRScale: 1,
			}
		},
		New: func(cfg any) (Rule, error) {
			c := *cfg.(*MuonConfig)
			return muon{c, adam{c.Adam, true}}, first(
				below("momentum", c.Momentum), within("steps", float64(c.Steps), 1, 20), positive("eps", c.Eps),
				oneOf("adjust_lr", c.AdjustLR, originalLR, matchRMS),
				errors.Wrap(c.Adam.check(), "adam"), positive("adam_lr_scale", c.AdamLRScale),
			)
		},
	})
}

// The ways to fit the learning rate to the shape of a matrix.
const (
	originalLR = "original"
	matchRMS   = "match_rms_adamw"
)

// MuonConfig holds the options of muon. Unlike torch's, the default fits the updates to the size of AdamW's, so that one
// learning rate suits matrices and all other parameters.
type MuonConfig struct {
	Momentum    float64    `yaml:"momentum" doc:"decay of the mean of gradients" range:"0..<1"`
	Nesterov    bool       `yaml:"nesterov" doc:"look ahead along the momentum"`
	Steps       int        `yaml:"steps" doc:"Newton-Schulz iterations" range:"1..20"`
	Eps         float64    `yaml:"eps" doc:"norms well under it are not brought to 1" range:"0<.."`
	AdjustLR    string     `yaml:"adjust_lr" doc:"original: lr*sqrt(max(1, out/in)); match_rms_adamw: lr*0.2*sqrt(max(in, out))" oneof:"original match_rms_adamw"`
	Adam        AdamConfig `yaml:"adam" doc:"adamw for what is no hidden matrix"`
	AdamLRScale float64    `yaml:"adam_lr_scale" doc:"factor of the learning rate there" range:"0<.."`
}

type muon struct {
	MuonConfig
	rest adam
}

// Slots are those of adamw; the momentum of a matrix is in the first one, and the second one is idle there.
func (u muon) Slots() []string { return u.rest.Slots() }

func (u muon) Update(b *kernels.Backend, r *Run) error {
	lr := r.LR
	r.LR *= u.AdamLRScale
	err := u.rest.Update(b, r)
	r.LR = lr
	return err
}

func (u muon) UpdateMatrix(b *kernels.Backend, r *Run) error {
	m, n := r.Slots[0], r.P.Len()
	x, y := r.Scratch.New(b.Float, n), r.Scratch.New(b.Float, n)
	u.mix(b, r, m)
	if u.Nesterov {
		u.mix(b, r, y)
	} else {
		b.Copy(kernels.Copy{Dst: y, Src: m})
	}
	// Normalising a row of all n elements gives a norm of sqrt(n) without a visit to the host. Eps enters as
	// sqrt(|u|^2 + eps^2) where torch has max(|u|, eps): the same to 14 digits for norms over 1e7 eps, and smooth below.
	b.RMSNorm(kernels.RMSNorm{
		Y: x.Reshape(1, n), X: y.Reshape(1, n), RStd: r.Scratch.New(b.Float, 1), Eps: u.Eps * u.Eps / float64(n),
	})
	b.Axpy(kernels.Axpy{Dst: y, Src: x, Alpha: 1 / math.Sqrt(float64(n))})
	o := newtonSchulz(b, r.Scratch, y.Reshape(r.Rows, r.Cols), x.Reshape(r.Rows, r.Cols), u.Steps)
	// Plain SGD on the update: p -= lr * (k*o + decay*p).
	b.SGD(kernels.SGD{P: r.P, G: o.Reshape(n), LR: r.LR, Decay: r.Decay, Scale: u.adjust(r.Rows, r.Cols), By: r.Gate})
	return nil
}

// mix is dst = mu*m + (1-mu)*g; dst may be m.
func (u muon) mix(b *kernels.Backend, r *Run, dst tensor.Tensor) {
	b.Axpy(kernels.Axpy{Dst: dst, Src: r.Slots[0], Alpha: u.Momentum, By: r.Gate})
	b.Axpy(kernels.Axpy{Dst: dst, Src: r.G, Alpha: 1 - u.Momentum, By: r.Scale, Accumulate: true})
}

// adjust is k, the factor of the learning rate of a matrix [in,out]. Torch stores the transpose, so what it calls rows are outputs.
func (u muon) adjust(in, out int) float64 {
	if u.AdjustLR == matchRMS {
		return 0.2 * math.Sqrt(float64(max(in, out)))
	}
	return math.Sqrt(max(1, float64(out)/float64(in)))
}
