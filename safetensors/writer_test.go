package safetensors_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"artel/dtype"
	"artel/safetensors"
)

func two() safetensors.Header {
	return safetensors.Header{Tensors: []safetensors.Info{{"a", dtype.F32, []int{2}}, {"b", dtype.BF16, []int{2}}}}
}

// TestMisuse: every wrong use of a Writer is told with file, tensor, and what was expected, sticks, and leaves no file.
func TestMisuse(t *testing.T) {
	f32, u16 := []float32{1, 2}, []uint16{1, 2}
	for name, c := range map[string]struct {
		use  func(w *safetensors.Writer) error
		want string
	}{
		"too many":    {func(w *safetensors.Writer) error { return w.F32("a", make([]float32, 3)) }, `tensor "a": got 3 elements, want 2: F32 [2]`},
		"too few":     {func(w *safetensors.Writer) error { return w.F32("a", f32[:1]) }, `tensor "a": got 1 elements, want 2: F32 [2]`},
		"type":        {func(w *safetensors.Writer) error { return w.I32("a", []int32{1, 2}) }, `tensor "a": got I32 data, want F32 as declared`},
		"order":       {func(w *safetensors.Writer) error { return w.U16("b", u16) }, `tensor "b": out of order: want tensor "a" next`},
		"unknown":     {func(w *safetensors.Writer) error { return w.F32("c", f32) }, `tensor "c": out of order: want tensor "a" next`},
		"raw size":    {func(w *safetensors.Writer) error { return w.Raw("a", make([]byte, 9)) }, `tensor "a": got 9 bytes after 0, want 8 in all: F32 [2]`},
		"nothing":     {func(w *safetensors.Writer) error { return w.Close() }, `tensor "a": got 0 bytes, want 8, before Close`},
		"twice":       {func(w *safetensors.Writer) error { _ = w.F32("a", f32); return w.F32("a", f32) }, `tensor "a": got the whole tensor after 8 bytes of it`},
		"missing":     {func(w *safetensors.Writer) error { _ = w.F32("a", f32); return w.Close() }, `tensor "b": got 0 bytes, want 4, before Close`},
		"incomplete":  {func(w *safetensors.Writer) error { _ = w.Raw("a", make([]byte, 5)); return w.U16("b", u16) }, `tensor "a": got 5 bytes, want 8, before tensor "b"`},
		"after all":   {func(w *safetensors.Writer) error { _, _ = w.F32("a", f32), w.U16("b", u16); return w.F32("c", f32) }, `tensor "c": got it after the last declared tensor was complete`},
		"mixed calls": {func(w *safetensors.Writer) error { _ = w.Raw("a", make([]byte, 4)); return w.F32("a", f32) }, `tensor "a": got the whole tensor after 4 bytes of it`},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "m.safetensors")
		w, err := safetensors.Create(path, two())
		if err != nil {
			t.Fatal(err)
		}
		want := "safetensors: " + path + ": " + c.want
		err = c.use(w)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
		var typed *safetensors.Error
		if !errors.As(err, &typed) {
			t.Errorf("%s: got a %T", name, err)
		}
		if again := w.F32("a", f32); again != err {
			t.Errorf("%s: a later write gave %v, want the first error", name, again)
		}
		if again := w.Close(); again != err {
			t.Errorf("%s: Close gave %v, want the first error", name, again)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%s: left %v", name, left)
		}
	}
	w, err := safetensors.NewWriter(io.Discard, "m", safetensors.Header{})
	if err != nil || w.Close() != nil {
		t.Fatal("an empty file")
	}
	if err := w.F32("a", f32); err == nil || !strings.Contains(err.Error(), "written after Close") {
		t.Errorf("after Close: %v", err)
	}
}

func TestDeclarations(t *testing.T) {
	huge := []int{1 << 31, 1 << 31, 4}
	for want, h := range map[string]safetensors.Header{
		`f: tensor "a": name: declared twice`:                                   {Tensors: []safetensors.Info{{"a", dtype.F32, nil}, {"a", dtype.F64, nil}}},
		`f: name: got an empty one`:                                             {Tensors: []safetensors.Info{{"", dtype.F32, nil}}},
		`f: tensor "__metadata__": name: it is reserved for the metadata`:       {Tensors: []safetensors.Info{{"__metadata__", dtype.F32, nil}}},
		`f: tensor "\xff": name: want UTF-8`:                                    {Tensors: []safetensors.Info{{"\xff", dtype.F32, nil}}},
		`f: tensor "a": shape: got [2 -1], want no negative dimension`:          {Tensors: []safetensors.Info{{"a", dtype.F32, []int{2, -1}}}},
		`f: tensor "a": shape: got [2147483648 2147483648 4], more than`:        {Tensors: []safetensors.Info{{"a", dtype.F32, huge}}},
		`f: tensor "a": dtype: got invalid, want F32, F64, BF16, I32, F16 or I`: {Tensors: []safetensors.Info{{"a", dtype.Invalid, nil}}},
		`f: tensor "b": the tensors up to this one have more than`:              {Tensors: []safetensors.Info{{"a", dtype.F32, []int{1 << 30, 1 << 30}}, {"b", dtype.F32, []int{1 << 30, 1 << 30}}}},
		`f: metadata "k": want UTF-8`:                                           {Metadata: map[string]string{"k": "\xff"}},
	} {
		if _, err := safetensors.NewWriter(io.Discard, "f", h); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if i := (safetensors.Info{Shape: []int{1}}); i.Bytes() != -1 || i.Elems() != -1 {
		t.Error("an impossible declaration has a size")
	}
}

// brokenPipe fails after n bytes.
type brokenPipe struct{ n int }

var errPipe = errors.New("pipe is broken")

func (b *brokenPipe) Write(p []byte) (int, error) {
	if b.n -= len(p); b.n < 0 {
		return 0, errPipe
	}
	return len(p), nil
}

func TestWriteErrors(t *testing.T) {
	if _, err := safetensors.NewWriter(&brokenPipe{n: 10}, "m", two()); !errors.Is(err, errPipe) || !strings.Contains(err.Error(), "m: header") {
		t.Errorf("header: %v", err)
	}
	size := len(writeRaw(t, two(), map[string][]byte{"a": make([]byte, 8), "b": make([]byte, 4)}))
	w, err := safetensors.NewWriter(&brokenPipe{n: size}, "m", two())
	if err != nil {
		t.Fatal(err)
	}
	_ = w.F32("a", []float32{1, 2})
	if err := w.U16("b", []uint16{1, 2}); err != nil {
		t.Fatal(err)
	}
	w, _ = safetensors.NewWriter(&brokenPipe{n: size - 5}, "m", two())
	err = w.F32("a", []float32{1, 2})
	if !errors.Is(err, errPipe) || !strings.Contains(err.Error(), `m: tensor "a"`) || w.Close() != err {
		t.Errorf("data: %v", err)
	}
	if _, err := safetensors.Create(filepath.Join(t.TempDir(), "no", "dir"), two()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Create: %v", err)
	}
}

// TestWriterMemory: what writing allocates does not depend on the size of the data.
func TestWriterMemory(t *testing.T) {
	x := make([]float32, 16<<20) // 64 MiB
	used := func(n int) uint64 {
		h := safetensors.Header{Tensors: []safetensors.Info{{"x", dtype.F32, []int{n}}, {"y", dtype.F32, []int{n}}}}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w, err := safetensors.NewWriter(io.Discard, "m", h)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.F32("x", x[:n]), w.F32("y", x[:n])
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	small, large := used(16), used(len(x))
	if large > 64<<10 {
		t.Errorf("writing 128 MiB allocated %d bytes, 128 bytes allocated %d", large, small)
	}
}
