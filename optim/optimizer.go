package optim

import (
	"math"
	"path"
	"strings"

	"artel/config"
	"artel/internal/registry"
	"artel/kernels"
	"artel/param"
	"artel/tensor"

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
	Groups      []Group       `yaml:"groups" doc:"settings for some parameters; the last match wins"`
}

// Group changes settings of the parameters that it matches.
type Group struct {
	Match   string   `yaml:"match" doc:"shared, router, experts, heads, or a pattern of parameter names such as blocks.0.*"`
	LRScale float64  `yaml:"lr_scale" doc:"factor of the learning rate; 0 freezes" range:"0.."`
	Decay   *float64 `yaml:"decay" doc:"weight decay instead of the default"`
}

// SetDefaults makes a group that changes nothing.
func (g *Group) SetDefaults() { *g = Group{LRScale: 1} }

// Default is AdamW with warm-up, cosine and clipping.
func Default() Config {
	return Config{Rule: config.Member{Name: "adamw"}, LR: 2e-3, WeightDecay: 0.05, Schedule: config.Member{Name: "cosine"}, Warmup: 100, ClipNorm: 1}
}

// Optimizer applies a rule to all parameters of a set, in runs of equal settings.
type Optimizer struct {
	cfg      Config
	rule     Rule
	schedule Schedule
	warmup   float64
	total    int64
	step     int64
	be       *kernels.Backend
	runs     []run
	slots    []State
	scratch  *tensor.Arena
}

// run is a Run with what it is made from.
type run struct {
	Run
	lo, hi  int
	lrScale float64
}

// State is one named state tensor of P elements, in the layout of the parameters' flat space.
type State struct {
	Name  string
	Value tensor.Tensor
}

// Info tells what a step did.
type Info struct {
	LR    float64 // base learning rate after the schedule
	Norm  float64 // global gradient norm before clipping
	Scale float64 // factor of the gradient, 1 when not clipped
}

// New prepares an optimizer for a run of total steps. cfg's members then hold the effective options.
func New(be *kernels.Backend, set *param.Set, cfg *Config, total int64) (*Optimizer, error) {
	o := &Optimizer{total: total, be: be, warmup: Warmup(cfg.Warmup, total), scratch: tensor.NewArena(be.Alloc)}
	var err error
	if o.rule, err = BuildRule(&cfg.Rule); err != nil {
		return nil, err
	}
	if o.schedule, err = buildSchedule(&cfg.Schedule); err != nil {
		return nil, err
	}
	if !(cfg.LR > 0) || !(cfg.WeightDecay >= 0) || !(cfg.ClipNorm >= 0) {
		return nil, errors.Errorf("optim: lr %v, weight_decay %v, clip_norm %v: want lr > 0 and the others >= 0", cfg.LR, cfg.WeightDecay, cfg.ClipNorm)
	}
	o.cfg = *cfg
	for _, name := range o.rule.Slots() {
		o.slots = append(o.slots, State{name, be.New(be.Float, set.Flat.Len())})
	}
	if err := o.plan(set); err != nil {
		return nil, err
	}
	return o, nil
}

// plan merges neighbouring parameters with equal settings into runs.
func (o *Optimizer) plan(set *param.Set) error {
	used := make([]bool, len(o.cfg.Groups))
	for _, p := range set.Params {
		lr, decay := 1.0, 0.0
		if p.Decay {
			decay = o.cfg.WeightDecay
		}
		for i, g := range o.cfg.Groups {
			if !matches(g.Match, p) {
				continue
			}
			used[i] = true
			lr = g.LRScale
			if g.Decay != nil {
				decay = *g.Decay
			}
		}
		end := p.Off + p.Len()
		if n := len(o.runs); n > 0 && o.runs[n-1].lrScale == lr && o.runs[n-1].Decay == decay {
			o.runs[n-1].hi = end // padding between parameters is zero and stays zero
		} else {
			o.runs = append(o.runs, run{lo: p.Off, hi: end, lrScale: lr, Run: Run{Decay: decay}})
		}
		if s := p.Shape(); len(s) == 2 {
			r := &o.runs[len(o.runs)-1]
			r.Matrices = append(r.Matrices, Matrix{p.Off - r.lo, s[0], s[1]})
		}
	}
	for i, g := range o.cfg.Groups {
		if !used[i] {
			return errors.Errorf("optim: groups.%d: %q matches no parameter; the nearest name is %q", i, g.Match, nearest(g.Match, set))
		}
	}
	for i := range o.runs {
		r := &o.runs[i]
		r.Scratch = o.scratch
		r.P = set.Flat.Narrow(0, r.lo, r.hi-r.lo)
		for _, s := range o.slots {
			r.Slots = append(r.Slots, s.Value.Narrow(0, r.lo, r.hi-r.lo))
		}
	}
	return nil
}

// matches reports whether a group's pattern means p.
func matches(pattern string, p *param.Param) bool {
	switch pattern {
	case "shared":
		return p.Group.Kind == param.Shared
	case "router":
		return p.Group.Kind == param.Router
	case "experts":
		return p.Group.Kind == param.Expert
	case "heads":
		return p.Group.Kind == param.Head
	}
	// path.Match stops at slashes and names have none, so * crosses dots.
	ok, err := path.Match(pattern, strings.ReplaceAll(p.Name, "/", "."))
	return err == nil && ok
}

func nearest(pattern string, set *param.Set) string {
	names := []string{"shared", "router", "experts", "heads"}
	for _, p := range set.Params {
		names = append(names, p.Name)
	}
	if n := registry.Nearest(pattern, names); n != "" {
		return n
	}
	return names[len(names)-1]
}

// Step updates all parameters by the flat gradient [P], whose squared norm is normSq. It allocates nothing.
func (o *Optimizer) Step(grad tensor.Tensor, normSq float64) (Info, error) {
	info := Info{LR: Rate(o.schedule, o.cfg.LR, o.step, o.total, o.warmup), Norm: math.Sqrt(normSq), Scale: 1}
	if o.cfg.ClipNorm > 0 {
		info.Scale = math.Min(1, o.cfg.ClipNorm/(info.Norm+1e-6))
	}
	o.step++
	for i := range o.runs {
		r := &o.runs[i]
		if r.lrScale == 0 {
			continue
		}
		r.Run.Step, r.LR, r.Scale = o.step, info.LR*r.lrScale, info.Scale
		r.G = grad.Narrow(0, r.lo, r.hi-r.lo)
		if err := o.rule.Update(o.be, &r.Run); err != nil {
			return info, errors.Wrapf(err, "optim: %s: step %d", o.cfg.Rule.Name, o.step)
		}
	}
	return info, nil
}

// Steps returns the number of steps made.
func (o *Optimizer) Steps() int64 { return o.step }

// SetSteps sets the number of steps made: for resuming, together with the contents of State.
func (o *Optimizer) SetSteps(n int64) { o.step = n }

// State returns the live state tensors in a fixed order; reading them saves the optimizer, writing them restores it.
func (o *Optimizer) State() []State { return o.slots }
