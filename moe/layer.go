package moe

import (
	"fmt"

	"artel/autograd"
	"artel/config"
	"artel/kernels"
	"artel/nn"
	"artel/param"
	"artel/rng"
	"artel/tensor"

	"github.com/pkg/errors"
)

// Config describes a mixture layer.
type Config struct {
	Experts      int           `yaml:"experts" doc:"number of routed experts" range:"1..65536"`
	K            int           `yaml:"k" doc:"experts per row" range:"1..64"`
	Hidden       int           `yaml:"hidden" doc:"hidden width of an expert" range:"1..1048576"`
	SharedHidden int           `yaml:"shared_hidden" doc:"hidden width of the expert that every row uses; 0: none" range:"0..1048576"`
	Gate         string        `yaml:"gate" doc:"activation of the experts" oneof:"swiglu gelu relu linear"`
	Router       config.Member `yaml:"router" doc:"how rows choose experts"`
	Capacity     float64       `yaml:"capacity" doc:"largest load of an expert as a multiple of the mean load; 0: dropless" range:"0..1e6"`
	Balance      float64       `yaml:"balance" doc:"coefficient of the balance loss over all rows" range:"0..1e6"`
	TaskBalance  float64       `yaml:"task_balance" doc:"coefficient of the balance loss counted for every task by itself (task-owned rows)" range:"0..1e6"`
	ZLoss        float64       `yaml:"z_loss" doc:"coefficient of the router z-loss" range:"0..1e6"`
	AuxPath      string        `yaml:"aux_path" doc:"where gradients of auxiliary losses go: with-task (router and below) or router-only (they stop at the router's input)" oneof:"with-task router-only"`
}

// SetDefaults fills what a config file does not say of a mixture.
func (c *Config) SetDefaults() { *c = Default() }

// Default returns a dropless top-2 mixture of eight SwiGLU experts.
func Default() Config {
	return Config{Experts: 8, K: 2, Hidden: 256, Gate: "swiglu", Router: config.Member{Name: "softmax_topk"}, Balance: 0.01, ZLoss: 0.001, AuxPath: "with-task"}
}

// Layer is a sparse mixture of experts: y = sum over picked experts of weight * expert(x), plus the shared expert.
type Layer struct {
	Name   string
	Config Config

	router   Router
	entry    Entry
	gate     kernels.Gate
	up, down *param.Bank
	shared   *nn.MLP
	tasks    int

	last last
}

// last is what the latest forward pass did, for Observe; it is valid until the tape begins anew.
type last struct {
	sel   Selection
	plan  *kernels.Plan
	space *autograd.Space
}

// New declares a mixture layer of the given width under name, for a model with this many tasks. cfg.Router then holds the effective options.
func New(b *param.Builder, name string, cfg *Config, width, tasks int, stream rng.Stream) (*Layer, error) {
	gate, ok := kernels.ParseGate(cfg.Gate)
	if !ok {
		return nil, errors.Errorf("moe: %s: gate %q, want one of %v", name, cfg.Gate, kernels.GateNames())
	}
	r, entry, err := Build(&cfg.Router, Scope{
		Params: b, Layer: name, Width: width, Experts: cfg.Experts, Picks: cfg.K, Tasks: tasks, Stream: stream.Sub(name),
	})
	if err != nil {
		return nil, err
	}
	l := &Layer{Name: name, Config: *cfg, router: r, entry: entry, gate: gate, tasks: tasks, up: &param.Bank{}, down: &param.Bank{}}
	if cfg.SharedHidden > 0 {
		l.shared = nn.NewMLP(b, param.Key{Kind: param.Shared, Layer: name}, name+".shared", width, cfg.SharedHidden, gate)
	}
	for e := 0; e < cfg.Experts; e++ {
		key := param.Key{Kind: param.Expert, Layer: name, Expert: e}
		prefix := fmt.Sprintf("%s.experts.%d", name, e)
		l.up.Experts = append(l.up.Experts, b.Add(key, prefix+".up", true, nn.XavierUniform(width, cfg.Hidden), width, gate.Width(cfg.Hidden)))
		l.down.Experts = append(l.down.Experts, b.Add(key, prefix+".down", true, nn.XavierUniform(cfg.Hidden, width), cfg.Hidden, width))
	}
	return l, nil
}

// Forward runs the layer on rows [N,D].
func (l *Layer) Forward(t *autograd.Tape, x *autograd.Var) *autograd.Var {
	if t.Err() != nil {
		return t.Bad()
	}
	t.Push(l.Name)
	defer t.Pop()
	if l.entry.Owned && !x.Space.Owned {
		t.Failf("router %s needs task-owned rows: put an 'expand' block before this one", l.entry.Name)
		return t.Bad()
	}
	sel := l.router.Route(t, x)
	if t.Err() != nil {
		return t.Bad()
	}
	plan := t.Plan(x.Space, sel.Index, l.Config.Experts, l.capacity(x.Rows()))
	l.last = last{sel: sel, plan: plan, space: x.Space}
	if t.Training() {
		l.auxiliary(t, x, sel)
	}
	y := autograd.Experts(t, x, sel.Weights, plan, l.up, l.down, l.gate)
	if l.shared != nil {
		y = l.shared.ForwardAdd(t, x, y)
	}
	return y
}

// capacity is the largest number of rows of an expert, 0 for no limit.
func (l *Layer) capacity(rows int) int {
	if l.Config.Capacity == 0 {
		return 0
	}
	mean := float64(rows*l.Config.K) / float64(l.Config.Experts)
	return max(1, int(mean*l.Config.Capacity+0.999999))
}

// auxiliary records the balance and z losses of a selection.
func (l *Layer) auxiliary(t *autograd.Tape, x *autograd.Var, sel Selection) {
	c := &l.Config
	if c.AuxPath == "router-only" && (sel.Probs != nil || sel.Logits != nil) && (c.Balance > 0 || c.TaskBalance > 0 || c.ZLoss > 0) {
		// The same decision once more, from an input that passes no gradient on.
		sel = l.router.Route(t, autograd.StopGradient(t, x))
	}
	n := x.Rows()
	if n == 0 {
		return
	}
	if sel.Logits != nil && c.ZLoss > 0 {
		autograd.ZLoss(t, sel.Logits, c.ZLoss*t.RowShare()/float64(n))
	}
	if sel.Probs == nil {
		return
	}
	if c.Balance > 0 {
		set := t.NewI32(n)
		t.Backend().Fill(set, 0)
		l.balance(t, sel, set, 1, c.Balance)
	}
	if c.TaskBalance > 0 {
		if !x.Space.Owned {
			t.Failf("task_balance needs task-owned rows: put an 'expand' block before this one")
			return
		}
		l.balance(t, sel, x.Space.Task, l.tasks, c.TaskBalance)
	}
}

// balance records a balance loss over sets of rows, each set weighted by its share of the rows.
func (l *Layer) balance(t *autograd.Tape, sel Selection, set tensor.Tensor, sets int, coef float64) {
	count, rows, weight := t.NewI32(sets, l.Config.Experts), t.NewI32(sets), t.New(sets)
	t.Backend().CountPicks(kernels.CountPicks{Index: sel.Index, Set: set, Count: count, Rows: rows})
	n := float64(set.Dim(0))
	for s := 0; s < sets; s++ {
		t.Backend().Fill(weight.Narrow(0, s, 1), float64(rowsOf(sel.Probs.Space, s, sets))/n)
	}
	autograd.BalanceLoss(t, sel.Probs, count, set, weight, rows, coef*t.RowShare())
}

// rowsOf counts the rows of a set: all of them, or those of a task.
func rowsOf(s *autograd.Space, set, sets int) (n int) {
	if sets == 1 {
		return s.N
	}
	for _, b := range s.Blocks {
		if b.Task == set {
			n += b.N
		}
	}
	return n
}
