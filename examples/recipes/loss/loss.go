// Package loss adds a task loss: cross-entropy of capped logits.
package loss

import (
	"artel/autograd"
	"artel/kernels"
	"artel/nn"
	"artel/tensor"
)

func init() {
	nn.RegisterLoss(nn.LossEntry{
		Name: "example_capped_cross_entropy", Classes: true, Metrics: []string{"accuracy"},
		Ref:    "soft capping of logits: Gemma 2 (arXiv 2408.00118), section 2",
		Doc:    "cross-entropy of cap * tanh(x / cap)",
		Config: func() any { return &Options{Cap: 30} },
		New:    func(cfg any) (nn.Loss, error) { return capped{*cfg.(*Options)}, nil },
	})
}

// Options are what a config file can set.
type Options struct {
	Cap float64 `yaml:"cap" doc:"largest size of a logit" range:"0<..1e6"`
}

type capped struct{ Options }

// Record adds scale * (sum over the rows with a label) to the tape. x is [n,V] and belongs to one task.
func (l capped) Record(t *autograd.Tape, x *autograd.Var, label tensor.Tensor, scale float64) {
	x = autograd.Scale(t, l.Cap, autograd.Map(t, kernels.Tanh, autograd.Scale(t, 1/l.Cap, x)))
	autograd.CrossEntropy(t, x, label, scale, 0)
}
