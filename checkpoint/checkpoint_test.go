package checkpoint_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"artel/checkpoint"
	"artel/dtype"
	"artel/rng"
	"artel/safetensors"
	"artel/tensor"

	"pgregory.net/rapid"
)

// random returns a tensor of random bits, NaNs included.
func random(r *rng.Stream, d dtype.Type, shape ...int) tensor.Tensor {
	t := tensor.New(d, shape...)
	for i := range t.Len() {
		u := r.Uint64()
		switch d {
		case dtype.F32:
			t.F32()[i] = math.Float32frombits(uint32(u))
		case dtype.F64:
			t.F64()[i] = math.Float64frombits(u)
		case dtype.I32:
			t.I32()[i] = int32(u)
		case dtype.BF16:
			t.BF16()[i] = uint16(u)
		}
	}
	return t
}

// content returns a tensor's bits as text.
func content(t tensor.Tensor) string {
	var b strings.Builder
	fmt.Fprint(&b, t)
	for i := range t.Len() {
		switch t.Type {
		case dtype.F32:
			fmt.Fprintf(&b, " %x", math.Float32bits(t.F32()[i]))
		case dtype.F64:
			fmt.Fprintf(&b, " %x", math.Float64bits(t.F64()[i]))
		case dtype.I32:
			fmt.Fprintf(&b, " %x", t.I32()[i])
		case dtype.BF16:
			fmt.Fprintf(&b, " %x", t.BF16()[i])
		}
	}
	return b.String()
}

// snapshot returns a small snapshot with every element type, a scalar and an empty tensor.
func snapshot(step int64, version int) *checkpoint.Snapshot {
	r := rng.New(uint64(version))
	return &checkpoint.Snapshot{
		Step: step,
		Model: []checkpoint.Tensor{
			{Name: "trunk.w", Value: random(&r, dtype.F32, 2, 3)}, {Name: "expert.0.w", Value: random(&r, dtype.BF16, 3, 5)},
			{Name: "scalar", Value: random(&r, dtype.F64)}, {Name: "none", Value: random(&r, dtype.F32, 0, 4)},
		},
		Optim:    []checkpoint.Tensor{{Name: "trunk.w.m", Value: random(&r, dtype.F32, 2, 3)}, {Name: "count", Value: random(&r, dtype.I32, 1)}},
		State:    fmt.Appendf(nil, `{"cursor": %d, "version": %d}`, step, version),
		Metadata: map[string]string{"config": "a: 1\n", "version": fmt.Sprint(version)},
	}
}

// blank returns zeroed tensors of the names, types and shapes of list.
func blank(list []checkpoint.Tensor) []checkpoint.Tensor {
	out := slices.Clone(list)
	for i, t := range list {
		out[i].Value = tensor.New(t.Value.Type, t.Value.Shape()...)
	}
	return out
}

// holds tells how the checkpoint at path differs from s.
func holds(path string, s *checkpoint.Snapshot) error {
	l, err := checkpoint.Load(path)
	if err != nil {
		return err
	}
	defer l.Close()
	if l.Step != s.Step || !bytes.Equal(l.State, s.State) || !maps.Equal(l.Metadata, s.Metadata) {
		return fmt.Errorf("got step %d, state %q, metadata %v; want %d, %q, %v", l.Step, l.State, l.Metadata, s.Step, s.State, s.Metadata)
	}
	model, optim := blank(s.Model), blank(s.Optim)
	if err := l.CopyInto(model); err != nil {
		return err
	}
	if err := l.CopyOptimInto(optim); err != nil {
		return err
	}
	for _, pair := range [][2][]checkpoint.Tensor{{model, s.Model}, {optim, s.Optim}} {
		for i, want := range pair[1] {
			if g, w := content(pair[0][i].Value), content(want.Value); g != w {
				return fmt.Errorf("%s: got %s, want %s", want.Name, g, w)
			}
		}
	}
	return nil
}

func save(t *testing.T, path string, s *checkpoint.Snapshot) string {
	t.Helper()
	if err := checkpoint.Save(checkpoint.Disk(), path, s); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(path, checkpoint.Name(s.Step))
}

// TestRoundTrip: any list of tensors comes back with the same bits, in one file or in shards, and the same snapshot gives the same
// files whatever the order of its lists.
func TestRoundTrip(t *testing.T) {
	root := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		r := rng.New(rapid.Uint64().Draw(t, "seed"))
		tensors := func(label string) (list []checkpoint.Tensor) {
			for i := range rapid.IntRange(0, 6).Draw(t, label) {
				d := rapid.SampledFrom([]dtype.Type{dtype.F32, dtype.F64, dtype.I32, dtype.BF16}).Draw(t, "type")
				shape := rapid.SliceOfN(rapid.IntRange(0, 5), 0, 4).Draw(t, "shape")
				list = append(list, checkpoint.Tensor{Name: fmt.Sprintf("%s.%d é\"", label, i), Value: random(&r, d, shape...)})
			}
			return list
		}
		s := &checkpoint.Snapshot{
			Step: rapid.Int64Range(0, 1<<40).Draw(t, "step"), Model: tensors("model"), Optim: tensors("optim"), State: []byte("null"),
			Metadata: rapid.MapOf(rapid.StringMatching(`[a-z]{1,5}`), rapid.String()).Draw(t, "metadata"),
		}
		limit := rapid.Int64Range(1, 2000).Draw(t, "shard")
		n++
		dir := filepath.Join(root, fmt.Sprint(n))
		if err := checkpoint.SaveShards(checkpoint.Disk(), filepath.Join(dir, "a"), s, limit); err != nil {
			t.Fatal(err)
		}
		a := filepath.Join(dir, "a", checkpoint.Name(s.Step))
		if err := holds(a, s); err != nil {
			t.Fatal(err)
		}
		slices.Reverse(s.Model)
		if err := checkpoint.SaveShards(checkpoint.Disk(), filepath.Join(dir, "b"), s, limit); err != nil {
			t.Fatal(err)
		}
		x, _ := os.ReadFile(filepath.Join(a, "SHA256SUMS"))
		y, _ := os.ReadFile(filepath.Join(dir, "b", checkpoint.Name(s.Step), "SHA256SUMS"))
		if len(x) == 0 || !bytes.Equal(x, y) {
			t.Fatalf("the order of the list changes the files:\n%s%s", x, y)
		}
	})
}

// TestLayout: the files are those of the documentation, and other programs can read them.
func TestLayout(t *testing.T) {
	root := t.TempDir()
	s := snapshot(500, 1)
	path := save(t, filepath.Join(root, "new", "run", checkpoint.Dir), s)
	if want := filepath.Join(root, "new/run/checkpoints/step-000500"); path != want {
		t.Errorf("saved at %s, want %s", path, want)
	}
	var want strings.Builder
	for _, name := range []string{"model.safetensors", "optim.safetensors", "state.json"} {
		b, err := os.ReadFile(filepath.Join(path, name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&want, "%x  %s\n", sha256.Sum256(b), name)
	}
	if got, _ := os.ReadFile(filepath.Join(path, "SHA256SUMS")); string(got) != want.String() {
		t.Errorf("SHA256SUMS: got\n%swant\n%s", got, want.String())
	}
	if list, _ := os.ReadDir(path); len(list) != 4 {
		t.Errorf("got the files %v, want four", list)
	}
	f, err := safetensors.Open(filepath.Join(path, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if m := f.Metadata(); m["artel.format"] != "1" || m["artel.step"] != "500" || m["config"] != "a: 1\n" {
		t.Errorf("metadata %q", m)
	}
	if state, _ := os.ReadFile(filepath.Join(path, "state.json")); !json.Valid(state) || !bytes.Equal(state, s.State) {
		t.Errorf("state %q", state)
	}
	if err := checkpoint.SaveShards(checkpoint.Disk(), root, s, 32); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"model.safetensors.index.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "optim.safetensors"} {
		if _, err := os.Stat(filepath.Join(root, "step-000500", name)); err != nil {
			t.Error(err)
		}
	}
}

// TestReplace: a step that is saved again takes the place of the old one.
func TestReplace(t *testing.T) {
	root := t.TempDir()
	save(t, root, snapshot(5, 1))
	if err := holds(save(t, root, snapshot(5, 2)), snapshot(5, 2)); err != nil {
		t.Error(err)
	}
	if list, _ := os.ReadDir(root); len(list) != 1 {
		t.Errorf("got %v, want one checkpoint", list)
	}
}

// TestSnapshotErrors: what cannot be saved is named, and nothing is written.
func TestSnapshotErrors(t *testing.T) {
	w := tensor.New(dtype.F32, 2, 3)
	for _, c := range []struct {
		name    string
		spoil   func(s *checkpoint.Snapshot)
		message string
	}{
		{"step", func(s *checkpoint.Snapshot) { s.Step = -1 }, "step: got -1, want 0 or more"},
		{"no state", func(s *checkpoint.Snapshot) { s.State = nil }, "state: got 0 bytes that are not JSON"},
		{"bad state", func(s *checkpoint.Snapshot) { s.State = []byte("{") }, "not JSON"},
		{"reserved", func(s *checkpoint.Snapshot) { s.Metadata["artel.step"] = "7" }, `metadata: got the key "artel.step", but artel.* is reserved`},
		{"twice", func(s *checkpoint.Snapshot) { s.Optim[1].Name = "trunk.w.m" }, `tensor "trunk.w.m": want a name of its own`},
		{"no name", func(s *checkpoint.Snapshot) { s.Model[0].Name = "" }, `tensor "": want a name`},
		{"no tensor", func(s *checkpoint.Snapshot) { s.Model[0].Value = tensor.Tensor{} }, `tensor "trunk.w": got no tensor`},
		{"gaps", func(s *checkpoint.Snapshot) { s.Model[0].Value = w.T() }, "F32[3,2] with gaps"},
		{"device", func(s *checkpoint.Snapshot) { s.Model[0].Value = tensor.Of(tensor.Device(dtype.F32, 6, 64), 0, 6) }, "F32[6] on a device"},
		{"type", func(s *checkpoint.Snapshot) { s.Model[0].Value = tensor.New(dtype.I64, 2) }, "got I64[2]"},
	} {
		s, root := snapshot(1, 1), t.TempDir()
		c.spoil(s)
		err := checkpoint.Save(checkpoint.Disk(), filepath.Join(root, "run"), s)
		if err == nil || !strings.HasPrefix(err.Error(), "checkpoint: ") || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: got error %v, want %q", c.name, err, c.message)
		}
		if list, _ := os.ReadDir(root); len(list) > 0 {
			t.Errorf("%s: %v was written", c.name, list)
		}
	}
}

// TestCopyInto: every difference is in the one error, and then nothing is copied.
func TestCopyInto(t *testing.T) {
	s := snapshot(1, 1)
	l, err := checkpoint.Load(save(t, t.TempDir(), s))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	list := blank(s.Model)
	list[0].Value = tensor.New(dtype.F32, 3, 2)
	list[1].Value = tensor.New(dtype.F32, 3, 5)
	list[3].Name = "nothing"
	list = append(list, list[2], checkpoint.Tensor{Name: "hole"})
	err = l.CopyInto(list)
	if err == nil {
		t.Fatal("want an error")
	}
	for _, want := range []string{
		"step-000001: model does not fit", `"trunk.w": got F32[2,3], want F32[3,2];`, `"expert.0.w": got BF16[3,5], want F32[3,5];`,
		`"nothing": missing, want F32[0,4];`, `"none": left over, F32[0,4]`, `"scalar": asked for twice;`, `"hole": cannot fill no tensor;`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if list[2].Value.F64()[0] != 0 {
		t.Error("a tensor was copied in spite of the error")
	}
	if err := l.CopyOptimInto(blank(s.Optim)[:1]); err == nil || !strings.Contains(err.Error(), `optim does not fit the program's tensors: "count": left over, I32[1]`) {
		t.Errorf("got %v", err)
	}
}
