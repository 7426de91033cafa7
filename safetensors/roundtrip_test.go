package safetensors_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"artel/dtype"
	"artel/safetensors"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	peer "github.com/nlpodyssey/safetensors"
	"pgregory.net/rapid"
)

var types = []dtype.Type{dtype.F32, dtype.F64, dtype.BF16, dtype.F16, dtype.I32, dtype.I64}

// header draws a declaration of up to 8 small tensors.
func header(t *rapid.T) safetensors.Header {
	name := rapid.OneOf(rapid.StringMatching(`[a-z.0-9]{1,12}`), rapid.StringN(1, 8, 30)).Filter(func(s string) bool { return s != "__metadata__" })
	return safetensors.Header{
		Tensors: rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) safetensors.Info {
			return safetensors.Info{
				Name:  name.Draw(t, "name"),
				DType: rapid.SampledFrom(types).Draw(t, "dtype"),
				Shape: rapid.SliceOfN(rapid.IntRange(0, 5), 0, 4).Draw(t, "shape"),
			}
		}), 0, 8, func(i safetensors.Info) string { return i.Name }).Draw(t, "tensors"),
		Metadata: rapid.MapOfN(rapid.String(), rapid.String(), 0, 3).Draw(t, "metadata"),
	}
}

// body draws data for every tensor.
func body(t *rapid.T, h safetensors.Header) map[string][]byte {
	data := map[string][]byte{}
	for _, i := range h.Tensors {
		n := int(i.Bytes())
		data[i.Name] = rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "data")
	}
	return data
}

// writeRaw writes every tensor in pieces.
func writeRaw(t testing.TB, h safetensors.Header, data map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := safetensors.NewWriter(&b, "test", h)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range h.Tensors {
		d := data[i.Name]
		for _, piece := range [][]byte{d[:len(d)/3], d[len(d)/3:]} {
			if err := w.Raw(i.Name, piece); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := header(r)
		data := body(r, h)
		file := writeRaw(t, h, data)
		if again := writeRaw(t, h, data); !bytes.Equal(file, again) {
			r.Fatal("the same data gave other bytes")
		}
		f, err := safetensors.Parse("test", file)
		if err != nil {
			r.Fatal(err)
		}
		if d := cmp.Diff(h, safetensors.Header{Tensors: f.Tensors(), Metadata: f.Metadata()}, cmpopts.EquateEmpty()); d != "" {
			// Empty tensors share their offset with the next one, so that their order is free.
			if d := cmp.Diff(h.Tensors, f.Tensors(), cmpopts.EquateEmpty(), cmpopts.SortSlices(func(a, b safetensors.Info) bool { return a.Name < b.Name })); d != "" {
				r.Fatal(d)
			}
		}
		start := len(file)
		for _, i := range h.Tensors {
			got, err := f.Bytes(i.Name)
			if err != nil || !bytes.Equal(got, data[i.Name]) {
				r.Fatalf("%s: %v, %v, want %v", i.Name, got, err, data[i.Name])
			}
			start -= len(got)
		}
		if start%64 != 0 {
			r.Fatalf("the data starts at %d", start)
		}
		checkPeerReads(r, file, h, data)
	})
}

// checkPeerReads reads a file with another library.
func checkPeerReads(t *rapid.T, file []byte, h safetensors.Header, data map[string][]byte) {
	got, err := peer.Deserialize(file)
	if err != nil {
		t.Fatalf("nlpodyssey: %v\n%q", err, file)
	}
	for _, i := range h.Tensors {
		v, ok := got.Tensor(i.Name)
		if !ok || v.DType().String() != i.DType.String() || len(v.Shape()) != len(i.Shape) || !bytes.Equal(v.Data(), data[i.Name]) {
			t.Fatalf("nlpodyssey reads %q as %v %v %v", i.Name, v.DType(), v.Shape(), v.Data())
		}
	}
}

// TestPeerWrites reads files that another library has written.
func TestPeerWrites(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := header(r)
		for i := range h.Tensors { // the peer takes a scalar for a tensor of no elements
			h.Tensors[i].Shape = append(h.Tensors[i].Shape, 2)
		}
		data := body(r, h)
		views := map[string]peer.TensorView{}
		for _, i := range h.Tensors {
			d, err := peer.ParseDType(i.DType.String())
			if err != nil {
				r.Fatal(err)
			}
			shape := make([]uint64, len(i.Shape))
			for j, n := range i.Shape {
				shape[j] = uint64(n)
			}
			if views[i.Name], err = peer.NewTensorView(d, shape, data[i.Name]); err != nil {
				r.Fatal(err)
			}
		}
		file, err := peer.Serialize(views, h.Metadata)
		if err != nil {
			r.Fatal(err)
		}
		f, err := safetensors.Parse("peer", file)
		if err != nil {
			r.Fatalf("%v\n%q", err, file)
		}
		if len(f.Tensors()) != len(h.Tensors) {
			r.Fatalf("%d tensors, want %d", len(f.Tensors()), len(h.Tensors))
		}
		for _, i := range h.Tensors {
			got, err := f.Bytes(i.Name)
			info, _ := f.Lookup(i.Name)
			if err != nil || !bytes.Equal(got, data[i.Name]) || cmp.Diff(i, info, cmpopts.EquateEmpty()) != "" {
				r.Fatalf("%v read as %v: %v %v", i, info, got, err)
			}
		}
	})
}

// TestTyped writes and reads every element type through a real file.
func TestTyped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	h := safetensors.Header{
		Tensors: []safetensors.Info{
			{"h", dtype.BF16, []int{3}}, {"f", dtype.F32, []int{2, 2}}, {"e", dtype.F32, []int{0}}, {"d", dtype.F64, []int{1}},
			{"g", dtype.F16, []int{1}}, {"i", dtype.I32, nil}, {"l", dtype.I64, []int{2}},
		},
		Metadata: map[string]string{"b": "2", "a": "<&>"},
	}
	w, err := safetensors.Create(path, h)
	if err != nil {
		t.Fatal(err)
	}
	f32 := []float32{1.5, float32(math.Inf(-1)), math.MaxFloat32, -0.25}
	for _, err := range []error{
		w.U16("h", []uint16{1, 2, 0xffff}), w.F32("f", f32), w.F64("d", []float64{math.Pi}), // "e" is empty and may be skipped
		w.U16("g", []uint16{7}), w.I32("i", []int32{-3}), w.I64("l", []int64{math.MinInt64, 5}), w.Close(), w.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(raw), `{"__metadata__":{"a":"<&>","b":"2"},"h":{"dtype":"BF16","shape":[3],"data_offsets":[0,6]},`) {
		t.Errorf("header %q, %v", raw[:100], err)
	}
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	check(t, f.U16, "h", []uint16{1, 2, 0xffff})
	check(t, f.F32, "f", f32) // at offset 6, misaligned: a copy
	check(t, f.F32, "e", []float32{})
	check(t, f.F64, "d", []float64{math.Pi})
	check(t, f.U16, "g", []uint16{7})
	check(t, f.I32, "i", []int32{-3})
	check(t, f.I64, "l", []int64{math.MinInt64, 5})
	if i, ok := f.Lookup("i"); !ok || i.Elems() != 1 || i.Bytes() != 4 {
		t.Errorf("Lookup(i) = %v, %v", i, ok)
	}
	if left, _ := filepath.Glob(path + "*"); len(left) != 1 {
		t.Errorf("files %v", left)
	}
}

func check[E comparable](t *testing.T, get func(string) ([]E, error), name string, want []E) {
	t.Helper()
	if got, err := get(name); err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("%s = %v, %v, want %v", name, got, err, want)
	}
}

// TestViews: aligned data is not copied, and after Sort all data is aligned.
func TestViews(t *testing.T) {
	list := []safetensors.Info{{"b", dtype.BF16, []int{3}}, {"f", dtype.F32, []int{1}}, {"d", dtype.F64, []int{1}}, {"a", dtype.F32, []int{1}}}
	data := map[string][]byte{"b": make([]byte, 6), "f": make([]byte, 4), "d": make([]byte, 8), "a": make([]byte, 4)}
	isView := func(f *safetensors.File) bool {
		b, err1 := f.Bytes("f")
		x, err2 := f.F32("f")
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		return unsafe.Pointer(&b[0]) == unsafe.Pointer(&x[0])
	}
	for _, sorted := range []bool{false, true} {
		if sorted {
			safetensors.Sort(list)
			if got := fmt.Sprint(list[0].Name, list[1].Name, list[2].Name, list[3].Name); got != "dafb" {
				t.Errorf("order %s", got)
			}
		}
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := os.WriteFile(path, writeRaw(t, safetensors.Header{Tensors: list}, data), 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := safetensors.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if isView(f) != sorted {
			t.Errorf("sorted %v: is a view: %v", sorted, isView(f))
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if _, err := f.F32("f"); err == nil {
			t.Error("a closed file gave a tensor")
		}
	}
}
