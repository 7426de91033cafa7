package checkpoint_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"artel/checkpoint"
	"artel/dtype"
	"artel/safetensors"
	"artel/tensor"
)

// edit changes a file, or makes it.
func edit(t *testing.T, path string, change func(b []byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o666); err != nil {
		t.Fatal(err)
	}
}

func set(s string) func([]byte) []byte { return func([]byte) []byte { return []byte(s) } }

// rehash makes SHA256SUMS right again for files that were changed.
func rehash(t *testing.T, path string) {
	t.Helper()
	var out strings.Builder
	for _, name := range []string{"model.safetensors", "optim.safetensors", "state.json"} {
		b, err := os.ReadFile(filepath.Join(path, name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%x  %s\n", sha256.Sum256(b), name)
	}
	edit(t, filepath.Join(path, "SHA256SUMS"), set(out.String()))
}

// foreign replaces the model by one with other metadata and right hashes.
func foreign(t *testing.T, path string, metadata map[string]string) {
	t.Helper()
	w, err := safetensors.Create(filepath.Join(path, "model.safetensors"), safetensors.Header{Metadata: metadata})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	rehash(t, path)
}

// TestLoadErrors: whatever is wrong with a checkpoint, the error names the file and tells what.
func TestLoadErrors(t *testing.T) {
	for _, c := range []struct {
		name    string
		spoil   func(path string)
		message string
	}{
		{"a bit", func(p string) { edit(t, p+"/optim.safetensors", func(b []byte) []byte { b[len(b)-1] ^= 1; return b }) }, "step-000007/optim.safetensors: got SHA-256 "},
		{"cut off", func(p string) { edit(t, p+"/model.safetensors", func(b []byte) []byte { return b[:len(b)-1] }) }, "model.safetensors: got SHA-256 "},
		{"state", func(p string) { edit(t, p+"/state.json", set(`{}`)) }, "state.json: got SHA-256 "},
		{"file gone", func(p string) { _ = os.Remove(p + "/state.json") }, "state.json: no such file"},
		{"sums gone", func(p string) { _ = os.Remove(p + "/SHA256SUMS") }, "SHA256SUMS: no such file"},
		{"sums empty", func(p string) { edit(t, p+"/SHA256SUMS", set("")) }, "SHA256SUMS: got 0 bytes"},
		{"sums torn", func(p string) { edit(t, p+"/SHA256SUMS", func(b []byte) []byte { return b[:len(b)-3] }) }, "is it cut off?"},
		{"line lost", func(p string) { edit(t, p+"/SHA256SUMS", func(b []byte) []byte { return b[:len(b)-77] }) }, "state.json is missing from SHA256SUMS"},
		{"no line", func(p string) { edit(t, p+"/SHA256SUMS", set("hello\n")) }, `SHA256SUMS: line 1: got "hello", want a hash`},
		{"capitals", func(p string) {
			edit(t, p+"/SHA256SUMS", func(b []byte) []byte { return []byte(strings.ToUpper(string(b))) })
		}, "want a hash of 64 digits"},
		{"line twice", func(p string) { edit(t, p+"/SHA256SUMS", func(b []byte) []byte { return append(b, b...) }) }, "line 4: model.safetensors stands twice"},
		{"elsewhere", func(p string) { edit(t, p+"/SHA256SUMS", set(strings.Repeat("0", 64)+"  ../x\n")) }, `got "../x", want the name of a file beside it`},
		{"stranger", func(p string) { edit(t, p+"/notes.txt", set("x")) }, "notes.txt: not a file of a checkpoint"},
		{"hashed stranger", func(p string) {
			edit(t, p+"/notes.txt", set("x"))
			edit(t, p+"/SHA256SUMS", func(b []byte) []byte { return fmt.Appendf(b, "%x  notes.txt\n", sha256.Sum256([]byte("x"))) })
		}, "notes.txt: not a file of a checkpoint"},
		{"not safetensors", func(p string) { edit(t, p+"/model.safetensors", set("{}")); rehash(t, p) }, "model.safetensors: got a file of 2 bytes"},
		{"newer", func(p string) { foreign(t, p, map[string]string{"artel.format": "2", "artel.step": "7"}) },
			"model.safetensors: it has checkpoint format 2, and this program reads up to 1: use the newer version"},
		{"bad version", func(p string) { foreign(t, p, map[string]string{"artel.format": "0"}) }, `metadata "artel.format": got "0", want a version from 1 to 1`},
		{"not ours", func(p string) { foreign(t, p, nil) }, `model.safetensors: no "artel.format" in its metadata`},
		{"mixed", func(p string) { foreign(t, p, map[string]string{"artel.format": "1", "artel.step": "8"}) }, "not of one checkpoint"},
	} {
		path := save(t, t.TempDir(), snapshot(7, 1))
		c.spoil(path)
		l, err := checkpoint.Load(path)
		if err == nil || !strings.HasPrefix(err.Error(), "checkpoint: ") || !strings.Contains(err.Error(), c.message) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got error %v, want %q", c.name, err, c.message)
		}
		if l != nil {
			t.Errorf("%s: got a checkpoint with an error", c.name)
		}
	}
}

// FuzzSums: a SHA256SUMS that is accepted has one spelling only, and lists nothing outside its directory.
func FuzzSums(f *testing.F) {
	zero := strings.Repeat("0", 64)
	for _, s := range []string{"", "\n", zero + "  a\n", zero + "  a\n" + zero + "  b c\n", zero + "  ../a\n", zero + " *a\n", zero + "  .\n", zero + "  a\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		again, err := checkpoint.Resum(text)
		if err == nil && (string(again) != string(text) || strings.Contains(string(text), "/")) {
			t.Errorf("%q became %q", text, again)
		}
	})
}

// TestUnhashedShard: a shard that SHA256SUMS does not list is refused, though its index does.
func TestUnhashedShard(t *testing.T) {
	root := t.TempDir()
	if err := checkpoint.SaveShards(checkpoint.Disk(), root, snapshot(7, 1), 32); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, checkpoint.Name(7))
	edit(t, path+"/SHA256SUMS", func(b []byte) []byte { return b[strings.IndexByte(string(b), '\n')+1:] })
	if _, err := checkpoint.Load(path); err == nil || !strings.Contains(err.Error(), "model-00001-of-00002.safetensors: missing from SHA256SUMS") {
		t.Errorf("got %v", err)
	}
}

// TestLatest: the newest by number; a broken one stops the search and the error tells where to go back to.
func TestLatest(t *testing.T) {
	run := t.TempDir()
	if _, err := checkpoint.Latest(run); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), filepath.Join(run, "checkpoints")) {
		t.Errorf("no checkpoint: got %v", err)
	}
	dir := filepath.Join(run, checkpoint.Dir)
	var paths []string
	for i, step := range []int64{1000000, 90, 1000, 999999} { // by text 999999 would win
		paths = append(paths, save(t, dir, snapshot(step, i)))
	}
	for _, name := range []string{"step-9999999x", "step-1", ".tmp-step-9999999", "other"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := checkpoint.Latest(run); err != nil || got != paths[0] {
		t.Errorf("got %q, %v, want %s", got, err, paths[0])
	}
	edit(t, paths[0]+"/state.json", set("{}"))
	edit(t, paths[3]+"/model.safetensors", set(""))
	_, err := checkpoint.Latest(run)
	var broken *checkpoint.BrokenError
	if !errors.As(err, &broken) || broken.Dir != paths[0] || broken.Before != paths[2] {
		t.Fatalf("got %v, want a BrokenError that goes back to %s", err, paths[2])
	}
	if text := err.Error(); !strings.Contains(text, paths[0]+"/state.json") || !strings.Contains(text, "whole one is "+paths[2]) {
		t.Errorf("got %s", text)
	}
	for _, p := range paths[1:3] {
		edit(t, p+"/state.json", set("{}"))
	}
	if _, err = checkpoint.Latest(run); !errors.As(err, &broken) || broken.Before != "" {
		t.Errorf("all broken: got %v", err)
	}
	save(t, dir, snapshot(1000000, 7)) // saving the step again heals it
	if got, err := checkpoint.Latest(run); err != nil || got != paths[0] {
		t.Errorf("healed: got %q, %v", got, err)
	}
	if err := os.Rename(paths[0], filepath.Join(dir, "step-2000000")); err != nil {
		t.Fatal(err)
	}
	if _, err := checkpoint.Latest(run); err == nil || !strings.Contains(err.Error(), "got step 1000000 inside, want 2000000 by its name") {
		t.Errorf("renamed: got %v", err)
	}
}

// TestPrune keeps the newest whole ones and what it does not know.
func TestPrune(t *testing.T) {
	dir := t.TempDir()
	for step := range int64(5) {
		save(t, dir, snapshot(step, 1))
	}
	_ = os.Remove(filepath.Join(dir, "step-000004", "optim.safetensors"))
	for _, name := range []string{".tmp-step-000009", ".tmp-gone-step-000001", "step-000003.old", "mine"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := checkpoint.Prune(checkpoint.Disk(), dir, 2); err != nil {
		t.Fatal(err)
	}
	var got []string
	list, _ := os.ReadDir(dir)
	for _, e := range list {
		got = append(got, e.Name())
	}
	if want := "mine step-000002 step-000003 step-000004"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if err := checkpoint.Prune(checkpoint.Disk(), dir, 0); err == nil || !strings.Contains(err.Error(), "keep: got 0, want 1 or more") {
		t.Errorf("keep 0: got %v", err)
	}
	if err := checkpoint.Prune(checkpoint.Disk(), dir+"/nowhere", 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: got %v", err)
	}
}

// big is a snapshot of 100 MB: a third model, the rest two moments.
func big() *checkpoint.Snapshot {
	s := &checkpoint.Snapshot{State: []byte("{}")}
	for i := range 10 {
		add := func(list *[]checkpoint.Tensor, name string) {
			x := tensor.New(dtype.F32, 1000, 833)
			for j := range x.F32() {
				x.F32()[j] = float32(j) / 7
			}
			*list = append(*list, checkpoint.Tensor{Name: fmt.Sprintf("layer.%d.%s", i, name), Value: x})
		}
		add(&s.Model, "w")
		add(&s.Optim, "w.m")
		add(&s.Optim, "w.v")
	}
	return s
}

func BenchmarkSave(b *testing.B) {
	s, dir := big(), b.TempDir()
	b.SetBytes(30 * 4 * 833000)
	for b.Loop() {
		if err := checkpoint.Save(checkpoint.Disk(), dir, s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	s, dir := big(), b.TempDir()
	if err := checkpoint.Save(checkpoint.Disk(), dir, s); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(30 * 4 * 833000)
	for b.Loop() {
		l, err := checkpoint.Load(filepath.Join(dir, checkpoint.Name(0)))
		if err == nil {
			err = l.CopyInto(s.Model)
		}
		if err == nil {
			err = l.CopyOptimInto(s.Optim)
		}
		if err == nil {
			err = l.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
