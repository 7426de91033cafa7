package model

import (
	"artel/config"
	"artel/moe"
	"artel/nn"
)

// Config describes a model.
type Config struct {
	Width   int        `yaml:"width" doc:"width of the residual stream" range:"1..65536"`
	Norm    string     `yaml:"norm" doc:"normalisation before every block and before the heads" oneof:"rmsnorm layernorm"`
	Dropout float64    `yaml:"dropout" doc:"dropout after every block" range:"0..0.95"`
	Patches []nn.Patch `yaml:"patches" doc:"input layers of domains with images: overlapping patches, each through the same small layer; then the projection"`
	Blocks  []Block    `yaml:"blocks" doc:"the stream from input to heads; each entry is one of moe, mlp, expand, align, rotate"`
}

// Block is one step of the stream; exactly one field is set.
type Block struct {
	MoE    *moe.Config `yaml:"moe" doc:"residual sparse mixture of experts"`
	MLP    *MLP        `yaml:"mlp" doc:"residual dense feed-forward network"`
	Expand *Expand     `yaml:"expand" doc:"from here on every task has rows of its own"`
	Align  *Align      `yaml:"align" doc:"covariance alignment: a square matrix for every task, the identity at the start; after expand"`
	Rotate *Rotate     `yaml:"rotate" doc:"a rotation for every task, which learns to align its gradients with those of the others (RotoGrad); after expand"`
}

// MLP describes a dense block.
type MLP struct {
	Hidden int    `yaml:"hidden" doc:"hidden width" range:"1..1048576"`
	Gate   string `yaml:"gate" doc:"activation" oneof:"swiglu gelu relu linear"`
}

// Expand has no options.
type Expand struct{}

// Align has no options.
type Align struct{}

// Rotate has no options.
type Rotate struct{}

// SetDefaults fills the defaults of a block that a config file names.
func (m *MLP) SetDefaults() { *m = MLP{Hidden: 256, Gate: "swiglu"} }

// Default is the model of the demo: patches of the image, a task-blind mixture on shared rows, expand, a task-aware mixture.
func Default() Config {
	blind := moe.Default()
	blind.Hidden, blind.SharedHidden = 64, 128
	aware := moe.Default()
	aware.Router = config.Member{Name: "task_aware"}
	aware.Hidden, aware.SharedHidden = 64, 64
	return Config{
		Width: 128, Norm: "rmsnorm", Dropout: 0.1,
		Patches: []nn.Patch{{Side: 6, Stride: 2, Channels: 32}},
		Blocks:  []Block{{MoE: &blind}, {Expand: &Expand{}}, {MoE: &aware}},
	}
}
