package engine

import (
	"time"

	"artel/config"
	"artel/data"
	"artel/model"
	"artel/optim"
)

// Config describes a run completely. Its YAML form is the file that `train` reads; Default is the demo.
type Config struct {
	Seed       uint64          `yaml:"seed" doc:"seed of everything random"`
	Device     string          `yaml:"device" doc:"where kernels run: auto, cpu, cuda, cuda:N (device N), ref (float64 and slow, for checking) or emu (the CUDA kernels, emulated)"`
	Precision  string          `yaml:"precision" doc:"matrix products: f32, or bf16 for operands rounded to bfloat16 with parameters and sums in float32" oneof:"f32 bf16"`
	Steps      int64           `yaml:"steps" doc:"optimizer steps" range:"1.."`
	Batch      int             `yaml:"batch" doc:"rows per step" range:"1..16777216"`
	Accumulate int             `yaml:"accumulate" doc:"passes that a step's rows are cut into, to save memory" range:"1..65536"`
	Data       data.Config     `yaml:"data" doc:"where rows come from"`
	Tasks      map[string]Task `yaml:"tasks" doc:"settings of tasks by name; tasks of the data that are not named have the defaults"`
	Model      model.Config    `yaml:"model" doc:"architecture"`
	Surgery    Surgery         `yaml:"surgery" doc:"how task gradients become one"`
	Optimizer  optim.Config    `yaml:"optimizer" doc:"how parameters move"`
	EMA        float64         `yaml:"ema" doc:"decay of the average of the parameters that evaluation uses; 0: none" range:"0..<1"`
	Eval       Eval            `yaml:"eval" doc:"evaluation"`
	Checkpoint Checkpoint      `yaml:"checkpoint" doc:"checkpoints"`
	Log        Log             `yaml:"log" doc:"progress"`
	Out        string          `yaml:"out" doc:"run directory"`
}

// Task holds the settings of a task.
type Task struct {
	Loss   config.Member `yaml:"loss" doc:"loss; empty: cross_entropy for classes, mse for values"`
	Weight *float64      `yaml:"weight" doc:"factor of the loss; not given: what the data suggest, mostly 1" range:"0.."`
}

// Surgery describes how task gradients become one.
type Surgery struct {
	Method  config.Member `yaml:"method" doc:"rule that combines task gradients; sum is plain training"`
	Groups  string        `yaml:"groups" doc:"what gets weights of its own: all shared parameters, each layer, or each expert and the rest of each layer" oneof:"global layer expert"`
	Exclude []string      `yaml:"exclude" doc:"kinds of parameters that are summed plainly instead: shared, norm, router, expert"`
	Rules   []Rule        `yaml:"rules" doc:"other methods for some parameters; the first rule that matches counts"`
	Every   int64         `yaml:"every" doc:"steps from one choice of weights to the next; in between they are used again, where possible in a plain backward pass" range:"1.."`
	Memory  string        `yaml:"memory" doc:"rows: keep the gradients of all tasks; gram: keep their inner products only, and go backward twice; operands: rows, but of experts with task-owned rows the products that would make them; auto: operands where experts have few rows, else rows up to 4 GiB" oneof:"auto rows gram operands"`
	At      string        `yaml:"at" doc:"activation at which task gradients are taken instead of at the parameters, so that the part below goes backward once: inputs, a block such as blocks.0, or final; empty: parameters"`
	Sparse  float64       `yaml:"sparse" doc:"share of the input connections of every shared neuron that train, those with the largest weights at the start; 1: all" range:"0<..1"`
	Aux     string        `yaml:"aux" doc:"auxiliary losses: with-task (their gradient travels with each row's task) or own-row (a task gradient of their own)" oneof:"with-task own-row"`
}

// Rule gives some parameters a surgery method of their own. Empty lists match everything.
type Rule struct {
	Kinds  []string      `yaml:"kinds" doc:"kinds of parameters: shared, norm, router, expert"`
	Layers []string      `yaml:"layers" doc:"layers, such as blocks.0 or inputs.multifashion"`
	Method config.Member `yaml:"method" doc:"rule that combines their task gradients"`
	Groups string        `yaml:"groups" doc:"what gets weights of its own among them" oneof:"global layer expert"`
}

// SetDefaults fills what a config file does not say of a rule.
func (r *Rule) SetDefaults() { *r = Rule{Groups: "global", Method: config.Member{Name: "sum"}} }

// Eval describes evaluation.
type Eval struct {
	Every int64  `yaml:"every" doc:"steps between evaluations; 0: only at the end" range:"0.."`
	Split string `yaml:"split" doc:"what is evaluated" oneof:"val test"`
	Batch int    `yaml:"batch" doc:"rows per pass" range:"1..1048576"`
}

// Checkpoint describes checkpoints.
type Checkpoint struct {
	Every int64         `yaml:"every" doc:"steps between checkpoints; 0: only at the end" range:"0.."`
	Time  time.Duration `yaml:"time" doc:"time between checkpoints; 0s: none by time" range:"0.."`
	Keep  int           `yaml:"keep" doc:"newest checkpoints that are kept; 0: all" range:"0.."`
}

// Log describes progress output.
type Log struct {
	Every int64 `yaml:"every" doc:"steps between lines of metrics.jsonl" range:"1.."`
}

// Default is the demo: four tasks on pairs of garments, a task-blind and a task-aware mixture, PCGrad.
func Default() Config {
	o := optim.Default()
	o.LR = 4e-3
	return Config{
		Seed: 1, Device: "auto", Precision: "f32", Steps: 4000, Batch: 256, Accumulate: 1,
		Data: data.Config{
			Domains: []data.Domain{{Source: config.Member{Name: "multifashion"}, Rows: "shared", Weight: 1}},
			Sampler: config.Member{Name: "proportional"}, Prefetch: 2,
		},
		Model:      model.Default(),
		Surgery:    Surgery{Method: config.Member{Name: "pcgrad"}, Groups: "global", Every: 1, Memory: "auto", Sparse: 1, Aux: "with-task"},
		Optimizer:  o,
		Eval:       Eval{Every: 500, Split: "test", Batch: 500},
		Checkpoint: Checkpoint{Keep: 2},
		Log:        Log{Every: 50},
		Out:        "runs/default",
	}
}
