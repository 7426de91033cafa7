package nn

import (
	"artel/autograd"
	"artel/tensor"
)

func init() {
	RegisterLoss(LossEntry{
		Name: "cross_entropy", Classes: true, Metrics: []string{"accuracy"},
		Ref:    "label smoothing: Szegedy et al. 2016 (arXiv 1512.00567), section 7",
		Doc:    "-sum_j q_j log softmax(x)_j with q = (1-s) onehot(label) + s/V",
		Config: func() any { return &CrossEntropyConfig{} },
		New:    func(cfg any) (Loss, error) { return crossEntropy{*cfg.(*CrossEntropyConfig)}, nil },
	})
}

// CrossEntropyConfig holds the options of cross_entropy.
type CrossEntropyConfig struct {
	Smoothing float64 `yaml:"smoothing" doc:"share of the target spread over all classes" range:"0..<1"`
}

type crossEntropy struct{ CrossEntropyConfig }

func (l crossEntropy) Record(t *autograd.Tape, x *autograd.Var, label tensor.Tensor, scale float64) {
	autograd.CrossEntropy(t, x, label, scale, l.Smoothing)
}
