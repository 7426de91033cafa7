package examples_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"artel/cli"
	"artel/config"
	"artel/engine"
	"artel/model"
)

// read decodes an example over the defaults.
func read(t *testing.T, name string, args ...string) *engine.Config {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	cfg := engine.Default()
	if _, err := config.Decode(&cfg, config.File(name, data), config.Args(args)); err != nil {
		t.Fatal(err)
	}
	return &cfg
}

// TestDefault checks that default.yaml is what train does without arguments, with every key and its meaning.
func TestDefault(t *testing.T) {
	var want, errs bytes.Buffer
	if code := cli.Main([]string{"config"}, &want, &errs); code != cli.ExitOK {
		t.Fatalf("train config: exit code %d: %s", code, errs.String())
	}
	got, err := os.ReadFile("default.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("default.yaml is not the default any more; run 'make generate'")
	}
}

// TestExamplesTrain builds what every example describes and makes a few steps.
func TestExamplesTrain(t *testing.T) {
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, name := range files {
		t.Run(name, func(t *testing.T) {
			cfg := read(t, name, "batch=48")
			be, _, err := engine.OpenDevice("cpu", "")
			if err != nil {
				t.Fatal(err)
			}
			e, err := engine.New(cfg, be)
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			for range 3 {
				if err := e.Step(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestDense checks that the dense example has the active hidden units of the default.
func TestDense(t *testing.T) {
	want, got := engine.Default().Model, read(t, "dense.yaml").Model
	if len(got.Blocks) != len(want.Blocks) {
		t.Fatalf("%d blocks, want %d", len(got.Blocks), len(want.Blocks))
	}
	for i := range want.Blocks {
		if g, w := hidden(&got.Blocks[i]), hidden(&want.Blocks[i]); g != w {
			t.Errorf("block %d: %d active hidden units, want %d as in the default", i, g, w)
		}
	}
}

// hidden is the number of hidden units that a row meets in a block.
func hidden(b *model.Block) int {
	switch {
	case b.MLP != nil:
		return b.MLP.Hidden
	case b.MoE != nil:
		return b.MoE.K*b.MoE.Hidden + b.MoE.SharedHidden
	}
	return 0
}

// TestTaskBlind checks that the task-blind example differs from the default in the router of the second mixture only, and in where it goes.
func TestTaskBlind(t *testing.T) {
	want, got := engine.Default(), read(t, "task-blind.yaml")
	want.Model.Blocks[2].MoE.Router = config.Member{Name: "softmax_topk"}
	want.Out = got.Out
	a, err := config.Encode(&want)
	if err != nil {
		t.Fatal(err)
	}
	b, err := config.Encode(got)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Errorf("got\n%s\nwant\n%s", b, a)
	}
}
