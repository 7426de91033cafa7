package model_test

import (
	"strings"
	"testing"

	"artel/autograd"
	"artel/internal/tapetest"
	"artel/kernels/ref"
	"artel/model"
	"artel/moe"
	"artel/nn"
	"artel/param"
	"artel/rng"
	"artel/tensor"
)

// small is the demo's model in small: an image of 2 x 3 pixels, a blind mixture, expand, a task-aware mixture.
func small() model.Config {
	c := model.Default()
	c.Width, c.Dropout = 8, 0.2
	c.Patches = []nn.Patch{{Side: 2, Stride: 1, Channels: 4}}
	for _, b := range c.Blocks {
		if b.MoE != nil {
			b.MoE.Experts, b.MoE.Hidden, b.MoE.SharedHidden = 3, 4, 3
		}
	}
	return c
}

var picture = model.Domain{Name: "pixels", Dense: tapetest.Width, Image: [2]int{2, 3}}

func named(n int) []model.Task {
	out := make([]model.Task, n)
	for i := range out {
		out[i] = model.Task{Name: string(rune('a' + i)), Out: 2 + i}
	}
	return out
}

// TestTaskGradients runs whole models, made from configs, through the comparison with separate backward passes.
func TestTaskGradients(t *testing.T) {
	dense := small()
	dense.Norm, dense.Patches = "layernorm", nil
	dense.Blocks = []model.Block{{MLP: &model.MLP{Hidden: 5, Gate: "gelu"}}, {Expand: &model.Expand{}}, {Align: &model.Align{}}, {MLP: &model.MLP{Hidden: 4, Gate: "swiglu"}}}
	for name, cfg := range map[string]model.Config{"mixtures": small(), "dense": dense} {
		tapetest.Run(t, ref.New(), tapetest.Case{Name: name, Aux: name == "mixtures", Declare: func(b *param.Builder, tasks int) (tapetest.Layer, int) {
			m, err := model.New(b, cfg, []model.Domain{picture}, named(tasks), rng.New(3))
			if err != nil {
				t.Fatal(err)
			}
			return func(tape *autograd.Tape, x *autograd.Var) *autograd.Var {
				return m.Forward(tape, x.Space, []model.Rows{{N: x.Rows(), Dense: x.Value}})
			}, cfg.Width
		}})
	}
}

// TestHeads: every task reads its own rows, through a head of its own width.
func TestHeads(t *testing.T) {
	be, b := ref.New(), param.NewBuilder()
	m, err := model.New(b, small(), []model.Domain{picture}, named(3), rng.New(3))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Build(be, rng.New(4)); err != nil {
		t.Fatal(err)
	}
	tape := autograd.NewTape(be, 3)
	tape.Begin(autograd.Eval, false)
	s := tape.NewSpace(5, []autograd.Block{{Task: 0, N: 5}, {Task: 2, N: 5}}, tensor.Tensor{}) // task 1 has no rows
	h := m.Forward(tape, s, []model.Rows{{N: 5, Dense: tape.New(5, tapetest.Width)}})
	for task, want := range []int{2, 0, 4} {
		out, ok := m.Head(tape, h, task)
		if tape.Err() != nil {
			t.Fatal(tape.Err())
		}
		if ok != (want > 0) {
			t.Errorf("task %d: has rows: %v", task, ok)
		}
		if ok && (out.Rows() != 5 || out.Cols() != want) {
			t.Errorf("task %d: logits %v, want 5 rows of %d", task, out.Value, want)
		}
	}
}

// TestMistakes: what cannot be built is an error that names the place.
func TestMistakes(t *testing.T) {
	mixture := moe.Default()
	mixture.K = mixture.Experts + 1
	for _, c := range []struct {
		name   string
		change func(*model.Config, *model.Domain)
		want   string
	}{
		{"norm", func(c *model.Config, _ *model.Domain) { c.Norm = "batchnorm" }, "rmsnorm or layernorm"},
		{"two in one", func(c *model.Config, _ *model.Domain) { c.Blocks[1].MLP = &model.MLP{Hidden: 2, Gate: "relu"} }, "blocks.1: 2 of moe, mlp, expand"},
		{"empty block", func(c *model.Config, _ *model.Domain) { c.Blocks[2].MoE = nil }, "blocks.2: 0 of moe, mlp, expand"},
		{"patch larger than the image", func(c *model.Config, _ *model.Domain) { c.Patches[0].Side = 3 }, "patches: layer 0: side 3"},
		{"domain without input", func(_ *model.Config, d *model.Domain) { *d = model.Domain{Name: "void"} }, `"void"`},
		{"more picks than experts", func(c *model.Config, _ *model.Domain) { c.Blocks[0].MoE = &mixture }, "blocks.0"},
	} {
		cfg, domain := small(), picture
		c.change(&cfg, &domain)
		_, err := model.New(param.NewBuilder(), cfg, []model.Domain{domain}, named(2), rng.New(1))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want it to say %q", c.name, err, c.want)
		}
	}
}
