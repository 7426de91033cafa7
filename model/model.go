package model

import (
	"fmt"

	"artel/autograd"
	"artel/moe"
	"artel/nn"
	"artel/param"
	"artel/rng"
	"artel/tensor"

	"github.com/pkg/errors"
)

// Domain describes the input of one source of rows.
type Domain struct {
	Name    string
	Dense   int    // width of dense rows, or 0
	Image   [2]int // height and width of dense rows that are images
	Buckets int    // ids of bag-of-ids rows, or 0
}

// Task describes one head.
type Task struct {
	Name string
	Out  int // width of the head: classes or outputs
}

// Rows is the input of one domain in a batch: rows [Row0, Row0+N) of the whole.
type Rows struct {
	Domain   int
	Row0, N  int
	Dense    tensor.Tensor // [N,Dense]
	IDs, Off tensor.Tensor // I32 [L], I32 [N+1]
}

// Model is a declared architecture; its parameters live in the param.Set that the builder makes.
type Model struct {
	Config   Config
	At       string // activation that is marked for task gradients, one of Activations, or ""
	Mixtures []*moe.Layer

	domains []input
	blocks  []block
	norm    norm
	heads   []*nn.Linear
	scopes  []string // "heads.<task>", made once
}

// input is the first layer of a domain.
type input struct {
	name    string
	dense   *nn.Linear
	patches *nn.Patches
	bag     *nn.EmbeddingBag
}

// norm is a normalisation layer.
type norm interface {
	Forward(t *autograd.Tape, x *autograd.Var) *autograd.Var
}

// block is one step of the stream.
type block struct {
	name   string
	expand bool
	alone  norm // a layer without norm, residual and dropout
	norm   norm
	layer  norm // same shape of method: rows in, rows out
	drop   *nn.Dropout
}

// New declares the model's parameters in b. stream feeds dropout and router noise.
func New(b *param.Builder, cfg Config, domains []Domain, tasks []Task, stream rng.Stream) (*Model, error) {
	m := &Model{Config: cfg}
	for _, d := range domains {
		name := "inputs." + d.Name
		key := param.Key{Kind: param.Shared, Layer: name}
		in := input{name: name}
		switch {
		case d.Image[0] > 0 && len(cfg.Patches) > 0:
			p, err := nn.NewPatches(b, key, name, d.Image, cfg.Patches, cfg.Width)
			if err != nil {
				return nil, errors.Wrap(err, "model: patches")
			}
			in.patches = p
		case d.Dense > 0:
			in.dense = nn.NewLinear(b, key, name, d.Dense, cfg.Width, true, nn.XavierUniform(d.Dense, cfg.Width))
		case d.Buckets > 0:
			in.bag = nn.NewEmbeddingBag(b, key, name, d.Buckets, cfg.Width, true)
		default:
			return nil, errors.Errorf("model: domain %q has neither dense rows nor ids", d.Name)
		}
		m.domains = append(m.domains, in)
	}
	for i := range cfg.Blocks {
		blk, err := m.newBlock(b, i, len(tasks), stream)
		if err != nil {
			return nil, err
		}
		m.blocks = append(m.blocks, blk)
	}
	n, err := newNorm(b, "final", cfg)
	if err != nil {
		return nil, err
	}
	m.norm = n
	for _, t := range tasks {
		name := "heads." + t.Name
		key := param.Key{Kind: param.Head, Layer: name}
		m.heads = append(m.heads, nn.NewLinear(b, key, name, cfg.Width, t.Out, true, nn.XavierUniform(cfg.Width, t.Out)))
		m.scopes = append(m.scopes, name)
	}
	return m, nil
}

func (m *Model) newBlock(b *param.Builder, i, tasks int, stream rng.Stream) (block, error) {
	name := fmt.Sprintf("blocks.%d", i)
	c := &m.Config.Blocks[i]
	set := 0
	for _, on := range []bool{c.MoE != nil, c.MLP != nil, c.Expand != nil, c.Align != nil, c.Rotate != nil} {
		if on {
			set++
		}
	}
	if set != 1 {
		return block{}, errors.Errorf("model: %s: %d of moe, mlp, expand, align, rotate are given; want exactly one", name, set)
	}
	if c.Expand != nil {
		return block{name: name, expand: true}, nil
	}
	if c.Align != nil {
		return block{name: name, alone: nn.NewAlign(b, name, tasks, m.Config.Width)}, nil
	}
	if c.Rotate != nil {
		return block{name: name, alone: nn.NewRotate(b, name, tasks, m.Config.Width)}, nil
	}
	n, err := newNorm(b, name, m.Config)
	if err != nil {
		return block{}, err
	}
	blk := block{name: name, norm: n, drop: nn.NewDropout(name+".dropout", m.Config.Dropout, stream)}
	if c.MLP != nil {
		gate, err := nn.ParseGate(c.MLP.Gate)
		if err != nil {
			return block{}, errors.Wrapf(err, "model: %s", name)
		}
		blk.layer = nn.NewMLP(b, param.Key{Kind: param.Shared, Layer: name}, name, m.Config.Width, c.MLP.Hidden, gate)
		return blk, nil
	}
	l, err := moe.New(b, name, c.MoE, m.Config.Width, tasks, stream)
	if err != nil {
		return block{}, err
	}
	m.Mixtures = append(m.Mixtures, l)
	blk.layer = l
	return blk, nil
}

func newNorm(b *param.Builder, layer string, cfg Config) (norm, error) {
	key := param.Key{Kind: param.Norm, Layer: layer}
	switch cfg.Norm {
	case "rmsnorm":
		return nn.NewRMSNorm(b, key, layer+".norm", cfg.Width), nil
	case "layernorm":
		return nn.NewLayerNorm(b, key, layer+".norm", cfg.Width), nil
	}
	return nil, errors.Errorf("model: norm %q, want rmsnorm or layernorm", cfg.Norm)
}

// Forward records the stream for a batch and returns the normalised rows that the heads read.
func (m *Model) Forward(t *autograd.Tape, s *autograd.Space, rows []Rows) *autograd.Var {
	x := m.tap(t, "inputs", m.input(t, s, rows))
	for i := range m.blocks {
		x = m.tap(t, m.blocks[i].name, m.blocks[i].forward(t, x))
	}
	return m.tap(t, "final", m.norm.Forward(t, x))
}

// Activations lists the names that At can have: after the input layers, after every block, and after the last norm.
func (m *Model) Activations() []string {
	out := []string{"inputs"}
	for i := range m.blocks {
		out = append(out, m.blocks[i].name)
	}
	return append(out, "final")
}

// MixtureBehind reports whether a mixture of experts reads what comes after the activation At.
func (m *Model) MixtureBehind(at string) bool {
	behind := at == "inputs"
	for i := range m.blocks {
		if _, mixture := m.blocks[i].layer.(*moe.Layer); behind && mixture {
			return true
		}
		behind = behind || m.blocks[i].name == at
	}
	return false
}

func (m *Model) tap(t *autograd.Tape, name string, x *autograd.Var) *autograd.Var {
	if name != m.At {
		return x
	}
	return autograd.Tap(t, x)
}

// input runs every domain's input layer and stacks the results.
func (m *Model) input(t *autograd.Tape, s *autograd.Space, rows []Rows) *autograd.Var {
	var parts [4]*autograd.Var
	n := 0
	for _, r := range rows {
		if r.N == 0 {
			continue
		}
		if n == len(parts) {
			t.Failf("a batch of more than %d domains", len(parts))
			return t.Bad()
		}
		in := &m.domains[r.Domain]
		t.Push(in.name)
		part := t.Part(s, r.Row0, r.N)
		switch {
		case in.patches != nil:
			parts[n] = in.patches.Forward(t, t.Input(r.Dense, part))
		case in.dense != nil:
			parts[n] = in.dense.Forward(t, t.Input(r.Dense, part))
		default:
			parts[n] = in.bag.Forward(t, r.IDs, r.Off, part)
		}
		t.Pop()
		n++
	}
	return autograd.Concat(t, s, parts[:n]...)
}

func (b *block) forward(t *autograd.Tape, x *autograd.Var) *autograd.Var {
	t.Push(b.name)
	defer t.Pop()
	if b.expand {
		return autograd.Expand(t, x)
	}
	if b.alone != nil {
		return b.alone.Forward(t, x)
	}
	h := b.norm.Forward(t, x)
	if l, ok := b.layer.(*nn.MLP); ok && !b.drop.Active(t) {
		return l.ForwardAdd(t, h, x)
	}
	return autograd.Add(t, x, b.drop.Forward(t, b.layer.Forward(t, h)))
}

// Head returns the logits of a task's rows, [n,Out], from the rows that Forward returned; ok is false when the task has no rows in the batch.
func (m *Model) Head(t *autograd.Tape, h *autograd.Var, task int) (logits *autograd.Var, ok bool) {
	v, ok := autograd.TaskView(t, h, task)
	if !ok {
		return nil, false
	}
	t.Push(m.scopes[task])
	defer t.Pop()
	return m.heads[task].Forward(t, v), true
}
