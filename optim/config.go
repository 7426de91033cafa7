package optim

import (
	"artel/config"
	"artel/kernels"
	"artel/param"

	"github.com/pkg/errors"
)

// Config describes an optimizer.
type Config struct {
	Rule        config.Member `yaml:"rule" doc:"update rule"`
	LR          float64       `yaml:"lr" doc:"base learning rate" range:"0<.."`
	WeightDecay float64       `yaml:"weight_decay" doc:"weight decay of matrices; norms, biases and embeddings have none" range:"0.."`
	Schedule    config.Member `yaml:"schedule" doc:"learning rate over the run, after warm-up"`
	Warmup      float64       `yaml:"warmup" doc:"linear warm-up: steps, or under 1 a share of all steps" range:"0.."`
	ClipNorm    float64       `yaml:"clip_norm" doc:"largest global gradient norm; 0: no clipping" range:"0.."`
	Groups      []Group       `yaml:"groups" doc:"settings for some parameters; where several match, later ones win setting by setting"`
}

// Group changes settings of the parameters that it matches.
type Group struct {
	Match   string   `yaml:"match" doc:"shared, router, experts, heads, norms, embeddings, or a pattern of parameter names such as blocks.0.*"`
	LRScale *float64 `yaml:"lr_scale" doc:"factor of the learning rate instead of 1" range:"0<.."`
	Decay   *float64 `yaml:"decay" doc:"weight decay instead of the default" range:"0.."`
	Freeze  *bool    `yaml:"freeze" doc:"leave the parameters as they are; they do not count in the gradient norm"`
	Matrix  *bool    `yaml:"matrix" doc:"whether rules for matrices (muon) see matrices here; the default is all but embeddings and heads"`
}

// Default is AdamW with warm-up, cosine and clipping.
func Default() Config {
	return Config{
		Rule: config.Member{Name: "adamw"}, LR: 2e-3, WeightDecay: 0.05,
		Schedule: config.Member{Name: "cosine"}, Warmup: 0.05, ClipNorm: 1,
	}
}

// New prepares an optimizer of all parameters of set for a run of total steps. cfg's members then hold the effective options.
// Unknown members and options, values out of range, and groups that match nothing are errors with the nearest word.
func New(be *kernels.Backend, set *param.Set, cfg *Config, total int64) (*Optimizer, error) {
	rate, err := NewRate(cfg, total)
	if err != nil {
		return nil, err
	}
	if err := first(atLeast0("weight_decay", cfg.WeightDecay), atLeast0("clip_norm", cfg.ClipNorm)); err != nil {
		return nil, errors.Wrap(err, "optim")
	}
	e, rule, err := buildRule(&cfg.Rule)
	if err != nil {
		return nil, err
	}
	if err := be.Require(append([]string{"Fill", "SumSquares", "Clip"}, e.Ops...)...); err != nil {
		return nil, errors.Wrapf(err, "optim: %s", e.Name)
	}
	all, err := cfg.settings(set)
	if err != nil {
		return nil, err
	}
	return build(be, set, rule, all, rate, cfg.ClipNorm)
}
