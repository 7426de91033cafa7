package safetensors_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"artel/dtype"
	"artel/safetensors"

	"github.com/google/go-cmp/cmp"
)

// writeShards writes tensors t0.. with n[i] floats each, all of value i.
func writeShards(t *testing.T, path string, maxBytes int64, n ...int) []string {
	t.Helper()
	var h safetensors.Header
	for i, k := range n {
		h.Tensors = append(h.Tensors, safetensors.Info{Name: fmt.Sprintf("t%d", i), DType: dtype.F32, Shape: []int{k}})
	}
	h.Metadata = map[string]string{"format": "artel"}
	w, err := safetensors.CreateShards(path, h, maxBytes)
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range n {
		x := make([]float32, k)
		for j := range x {
			x[j] = float32(i)
		}
		if k == 0 {
			continue // an empty tensor may be skipped, also at a border
		}
		if err := w.F32(h.Tensors[i].Name, x); err != nil {
			t.Fatal(err)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.safetensors")); len(left) > 0 {
			t.Fatalf("%v has its name before Close", left)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	return files
}

const wantIndex = `{
  "metadata": {
    "total_size": 68
  },
  "weight_map": {
    "t0": "model-00001-of-00003.safetensors",
    "t1": "model-00001-of-00003.safetensors",
    "t2": "model-00002-of-00003.safetensors",
    "t3": "model-00003-of-00003.safetensors",
    "t4": "model-00003-of-00003.safetensors",
    "t5": "model-00003-of-00003.safetensors",
    "t6": "model-00003-of-00003.safetensors"
  }
}
`

func TestShards(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.safetensors")
	sizes := []int{2, 2, 9, 0, 1, 3, 0}
	files := writeShards(t, path, 16, sizes...)
	want := []string{"model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors", "model.safetensors.index.json"}
	if d := cmp.Diff(want, files); d != "" {
		t.Fatal(d)
	}
	raw, err := os.ReadFile(path + ".index.json")
	if err != nil || string(raw) != wantIndex {
		t.Fatalf("index %s, %v", raw, err)
	}
	f, err := safetensors.Open(path + ".index.json")
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range sizes {
		x, err := f.F32(fmt.Sprintf("t%d", i))
		if err != nil || len(x) != n || n > 0 && x[n-1] != float32(i) {
			t.Errorf("t%d = %v, %v", i, x, err)
		}
	}
	if len(f.Tensors()) != len(sizes) || f.Metadata()["format"] != "artel" {
		t.Errorf("%v, %v", f.Tensors(), f.Metadata())
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}

	// An index that does not tell the truth.
	for _, c := range []struct{ old, new, want string }{
		{`"total_size": 68`, `"total_size": 67`, "total_size: got 67, want 68, the bytes of all tensors"},
		{`"total_size": 68`, `"total_size": 68.0`, "total_size: got 68.0, want a whole number of bytes"},
		{`"total_size"`, `"size"`, "index: want total_size in metadata"},
		{`"weight_map"`, `"weights"`, `index: got the key "weights", want metadata and weight_map`},
		{`"t1": "model-00001`, `"t1": "model-00002`, `tensor "t1": it is in "model-00001-of-00003.safetensors", want "model-00002-of-00003.safetensors" by the index`},
		{`"t1": "model-00001`, `"t0": "model-00001`, `weight_map: got the key "t0" twice`},
		{`"t1":`, `"tx":`, `tensor "t1": it is in "model-00001-of-00003.safetensors", want "" by the index`},
		{`"t1":`, `"tx": "model-00001-of-00003.safetensors", "t1":`, `tensor "tx": not in "model-00001-of-00003.safetensors", where the index has it`},
		{`"t1": "model`, `"t1": "../model`, `tensor "t1": weight_map: got "../model-00001-of-00003.safetensors", want the name of a file beside the index`},
		{`"t1": "model-00001-of-00003.safetensors"`, `"t1": ".."`, `want the name of a file beside the index`},
		{`"t1": "model-00001-of-00003.safetensors"`, `"t1": 1`, `tensor "t1": weight_map: got 1, want a string`},
		{`"t2": "model-00002-of-00003.safetensors"`, `"t2": "none"`, "no such file"},
		{`{`, ``, "index: not valid JSON"},
		{`t6`, "\xff", "index: want UTF-8"},
	} {
		bad := strings.Replace(wantIndex, c.old, c.new, 1)
		if err := os.WriteFile(path+".index.json", []byte(bad), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := safetensors.Open(path + ".index.json"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.new, err, c.want)
		}
	}
	good := strings.Replace(wantIndex, `"total_size": 68`, `"total_parameters": 17, "total_size": 68`, 1)
	if x, err := safetensors.ParseIndex("i", []byte(good)); err != nil || string(x.Encode()) != wantIndex {
		t.Errorf("more metadata: %v", err)
	}
}

// TestTensorInTwoShards: the files themselves disagree.
func TestTensorInTwoShards(t *testing.T) {
	dir := t.TempDir()
	writeShards(t, filepath.Join(dir, "a.safetensors"), 100, 1, 2)
	h := safetensors.Header{Tensors: []safetensors.Info{{Name: "t1", DType: dtype.F32, Shape: []int{1}}, {Name: "u", DType: dtype.F32, Shape: []int{1}}}}
	w, err := safetensors.Create(filepath.Join(dir, "b.safetensors"), h)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.F32("t1", []float32{1}), w.F32("u", []float32{1})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	x := safetensors.Index{TotalSize: 20, WeightMap: map[string]string{"t0": "a.safetensors", "t1": "a.safetensors", "u": "b.safetensors"}}
	path := filepath.Join(dir, "x.index.json")
	if err := os.WriteFile(path, x.Encode(), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := safetensors.Open(path); err == nil || !strings.Contains(err.Error(), `b.safetensors: tensor "t1": another shard has it, too`) {
		t.Errorf("got %v", err)
	}
}

func TestShardsAtTheEdges(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "one.safetensors")
	if files := writeShards(t, path, 100, 3, 4); cmp.Diff([]string{"one.safetensors"}, files) != "" {
		t.Errorf("one shard gave %v", files)
	}
	if f, err := safetensors.Open(path); err != nil || f.Close() != nil {
		t.Error(err)
	}
	h := safetensors.Header{Tensors: []safetensors.Info{{Name: "a", DType: dtype.F32, Shape: []int{1}}, {Name: "b", DType: dtype.F32, Shape: []int{1}}}}
	for want, call := range map[string]func() (*safetensors.Writer, error){
		"want one that ends in .safetensors":      func() (*safetensors.Writer, error) { return safetensors.CreateShards("m.bin", h, 4) },
		"bytes per shard: got 0, want at least 1": func() (*safetensors.Writer, error) { return safetensors.CreateShards(path, h, 0) },
		"no such file": func() (*safetensors.Writer, error) {
			return safetensors.CreateShards(filepath.Join(dir, "x", "m.safetensors"), h, 4)
		},
		"name: declared twice": func() (*safetensors.Writer, error) {
			return safetensors.CreateShards(path, safetensors.Header{Tensors: []safetensors.Info{h.Tensors[0], h.Tensors[0]}}, 4)
		},
	} {
		if _, err := call(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	// A set that is given up leaves nothing.
	dir = t.TempDir()
	w, err := safetensors.CreateShards(filepath.Join(dir, "m.safetensors"), h, 4)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.F32("a", []float32{1}); err != nil {
		t.Fatal(err)
	}
	if err := w.Raw("b", []byte{1}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), `m-00002-of-00002.safetensors: tensor "b": got 1 bytes, want 4, before Close`) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}
