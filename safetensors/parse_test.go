package safetensors_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"artel/dtype"
	"artel/safetensors"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// file puts a header of the given text before n bytes of data.
func file(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

// hostile lists files that break one rule each, with what Parse must say.
var hostile = []struct {
	name string
	data []byte
	want string
}{
	{"empty", nil, "got a file of 0 bytes, want at least 8"},
	{"short", []byte("1234567"), "got a file of 7 bytes, want at least 8"},
	{"long header", binary.LittleEndian.AppendUint64(nil, 100_000_001), "header length: got 100000001, want at most 100000000; is it a safetensors file?"},
	{"overflowing header", binary.LittleEndian.AppendUint64(nil, math.MaxUint64), "header length: got 18446744073709551615, want at most"},
	{"cut header", file("{}", 0)[:9], "header length: got 2, want at most 1, the rest of the file; is it cut off?"},
	{"no header", file("", 0), "header: want it to begin with {"},
	{"leading space", file(" {}", 0), "header: want it to begin with {"},
	{"not UTF-8", file("{\"\xff\":1}", 0), "header: want UTF-8"},
	{"not JSON", file(`{"a"`, 0), "header: not valid JSON: unexpected end of JSON input"},
	{"two values", file(`{}{}`, 0), "header: not valid JSON: invalid character '{' after top-level value"},
	{"trailing comma", file(`{"a":{"dtype":"F32","shape":[1,],"data_offsets":[0,4]}}`, 4), "header: not valid JSON"},
	{"newline after", file("{}\n", 0), "header: want nothing but spaces after }"},
	{"NUL after", file("{}\x00", 0), "header: not valid JSON"},
	{"entry not an object", file(`{"a":1}`, 0), `tensor "a": header entry: want an object`},
	{"null entry", file(`{"a":null}`, 0), `tensor "a": header entry: want an object`},
	{"empty name", file(`{"":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 4), "header: got a tensor with an empty name"},
	{"name twice", file(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}`, 8), `header: got the key "a" twice`},
	{"name twice, escaped", file(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"\u0061":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}`, 8), `header: got the key "a" twice`},
	{"key twice", file(`{"a":{"dtype":"F32","dtype":"F32","data_offsets":[0,4]}}`, 4), `tensor "a": header entry: got the key "dtype" twice`},
	{"missing key", file(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, 4), `tensor "a": got 2 keys, want dtype, shape and data_offsets`},
	{"unknown key", file(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"strides":[]}}`, 4), `tensor "a": got the key "strides", want dtype, shape and data_offsets`},
	{"unknown dtype", file(`{"a":{"dtype":"F8_E4M3","shape":[],"data_offsets":[0,1]}}`, 1), `tensor "a": dtype: got "F8_E4M3", want F32, F64, BF16, I32, F16 or I64`},
	{"dtype not a string", file(`{"a":{"dtype":4,"shape":[],"data_offsets":[0,4]}}`, 4), `tensor "a": dtype: got 4, want a string`},
	{"negative dimension", file(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4), `tensor "a": shape: got -1, want whole numbers from 0`},
	{"fraction", file(`{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}`, 4), `tensor "a": shape: got 1.0, want whole numbers`},
	{"exponent", file(`{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}`, 4), `tensor "a": shape: got 1e0, want whole numbers`},
	{"dimension as text", file(`{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}`, 4), `tensor "a": shape: got 1, want whole numbers`},
	{"nested shape", file(`{"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}`, 4), `tensor "a": shape: got [, want whole numbers`},
	{"shape not a list", file(`{"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}`, 4), `tensor "a": shape: got 1, want a list`},
	{"huge dimension", file(`{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}}`, 4), `tensor "a": shape: got 9223372036854775808, want whole numbers from 0 to 9223372036854775807`},
	{"overflowing shape", file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), `tensor "a": shape: got [4294967296 4294967296], more than`},
	{"size", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), `tensor "a": data_offsets: got [0, 4], 4 bytes, want 8: F32 [2]`},
	{"offsets backwards", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, 4), `tensor "a": data_offsets: got [4 0], want [begin, end] with begin <= end`},
	{"three offsets", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}`, 8), `tensor "a": data_offsets: got [0 4 8], want [begin, end]`},
	{"hole at the start", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), `tensor "a": data_offsets: got [4, 8], want it to begin at 0: no holes and no overlap`},
	{"hole", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}`, 12), `tensor "b": data_offsets: got [8, 12], want it to begin at 4`},
	{"overlap", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), `tensor "b": data_offsets: got [4, 8], want it to begin at 8`},
	{"same place", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), `tensor "b": data_offsets: got [0, 4], want it to begin at 4`},
	{"cut data", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 7), "got 7 bytes of data, want 8 by the header"},
	{"trailing bytes", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 9), "got 9 bytes of data, want 8 by the header"},
	{"trailing bytes, no tensors", file(`{}`, 1), "got 1 bytes of data, want 0 by the header"},
	{"metadata not an object", file(`{"__metadata__":"a"}`, 0), "metadata: want an object"},
	{"metadata value", file(`{"__metadata__":{"a":1}}`, 0), `metadata "a": got 1, want a string`},
	{"metadata key twice", file(`{"__metadata__":{"a":"1","a":"2"}}`, 0), `metadata: got the key "a" twice`},
	{"metadata twice", file(`{"__metadata__":{},"__metadata__":{}}`, 0), `header: got the key "__metadata__" twice`},
	{"deep", file(`{"a":`+strings.Repeat("[", 20000), 0), "header: not valid JSON"},
}

func TestHostile(t *testing.T) {
	for _, c := range hostile {
		f, err := safetensors.Parse("bad.safetensors", c.data)
		var typed *safetensors.Error
		if err == nil || !errors.As(err, &typed) || !strings.HasPrefix(err.Error(), "safetensors: bad.safetensors: "+c.want) {
			t.Errorf("%s: got %v (%v), want %s", c.name, err, f, c.want)
		}
		path := filepath.Join(t.TempDir(), "bad.safetensors")
		if err := os.WriteFile(path, c.data, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := safetensors.Open(path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Open gave %v, want %s", c.name, err, c.want)
		}
	}
	for _, ok := range [][]byte{file("{}", 0), file("{}      ", 0), file(`{"a":{"data_offsets":[0,0],"shape":[4,0],"dtype":"I64"},"__metadata__":{}}`, 0)} {
		if _, err := safetensors.Parse("good", ok); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := safetensors.Open(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := safetensors.Open(dir); err == nil {
		t.Error("a directory was opened")
	}
	f, err := safetensors.Open("testdata/types.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for want, call := range map[string]func() error{
		`tensor "bf61": not among its 9 tensors; did you mean "bf16"?`: func() error { _, err := f.U16("bf61"); return err },
		`tensor "something.else": not among its 9 tensors`:             func() error { _, err := f.Bytes("something.else"); return err },
		`tensor "bf16": got dtype BF16, want F32`:                      func() error { _, err := f.F32("bf16"); return err },
		`tensor "f32": got dtype F32, want BF16 or F16`:                func() error { _, err := f.U16("f32"); return err },
	} {
		if err := call(); err == nil || err.Error() != "safetensors: testdata/types.safetensors: "+want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestPython reads files of the Python library and compares with what that library finds in them.
func TestPython(t *testing.T) {
	paths, _ := filepath.Glob("testdata/*.safetensors")
	if len(paths) != 3 {
		t.Fatalf("files %v", paths)
	}
	for _, path := range paths {
		var want struct {
			Metadata map[string]string
			Tensors  map[string]struct {
				DType, SHA256 string
				Shape         []int
			}
		}
		raw, err := os.ReadFile(strings.TrimSuffix(path, ".safetensors") + ".json")
		if err == nil {
			err = json.Unmarshal(raw, &want)
		}
		if err != nil {
			t.Fatal(err)
		}
		f, err := safetensors.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want.Metadata, f.Metadata(), cmpopts.EquateEmpty()); d != "" || len(f.Tensors()) != len(want.Tensors) {
			t.Errorf("%s: %d tensors, want %d, metadata %s", path, len(f.Tensors()), len(want.Tensors), d)
		}
		for name, w := range want.Tensors {
			info, _ := f.Lookup(name)
			data, err := f.Bytes(name)
			sum := sha256.Sum256(data)
			if err != nil || info.DType.String() != w.DType || cmp.Diff(w.Shape, info.Shape, cmpopts.EquateEmpty()) != "" || hex.EncodeToString(sum[:]) != w.SHA256 {
				t.Errorf("%s: %s: %v, %v, want %v", path, name, info, err, w)
			}
		}
		// Written again, the same tensors come back.
		h := safetensors.Header{Tensors: f.Tensors(), Metadata: f.Metadata()}
		data := map[string][]byte{}
		for _, i := range h.Tensors {
			data[i.Name], _ = f.Bytes(i.Name)
		}
		again, err := safetensors.Parse("again", writeRaw(t, h, data))
		if err != nil || cmp.Diff(f.Tensors(), again.Tensors()) != "" {
			t.Errorf("%s written again: %v", path, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestPythonValues pins decoded numbers of the file made by make.py.
func TestPythonValues(t *testing.T) {
	f, err := safetensors.Open("testdata/types.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	check(t, f.F32, "f32", []float32{0, 1. / 3, 2. / 3, 1, 4. / 3, 5. / 3})
	check(t, f.F64, "f64", []float64{0, 1. / 3, 2. / 3, 1, 4. / 3, 5. / 3})
	check(t, f.I32, "i32", []int32{-3, -2, -1, 0, 1, 2})
	check(t, f.I64, "i64", []int64{-3 << 40, -2 << 40, -1 << 40, 0, 1 << 40, 2 << 40})
	check(t, f.U16, "f16", []uint16{0, 0x3400, 0x3800, 0x3a00, 0x3c00, 0x3d00})
	check(t, f.U16, "bf16", []uint16{0x3f80, 0xc000, 0x7fc0})
	check(t, f.F32, "scalar", []float32{7})
	check(t, f.F32, "odd \"name\" <é>\n", []float32{1.5})
}

// FuzzOpen: Parse never panics, and what it accepts is whole: every tensor can be read, the sizes add up, and it can be written again.
func FuzzOpen(f *testing.F) {
	for _, c := range hostile {
		f.Add(c.data)
	}
	types, err := os.ReadFile("testdata/types.safetensors")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(types)
	f.Add(file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"I64","shape":[1,1],"data_offsets":[8,16]}}   `, 16))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := safetensors.Parse("fuzz", data)
		if err != nil {
			var typed *safetensors.Error
			if !errors.As(err, &typed) {
				t.Fatalf("a %T: %v", err, err)
			}
			return
		}
		total := int64(8 + binary.LittleEndian.Uint64(data))
		h := safetensors.Header{Tensors: file.Tensors(), Metadata: file.Metadata()}
		raw := map[string][]byte{}
		for _, i := range h.Tensors {
			b, err := file.Bytes(i.Name)
			if err != nil || int64(len(b)) != i.Bytes() {
				t.Fatalf("%v: %d bytes, %v", i, len(b), err)
			}
			n := 0
			switch i.DType {
			case dtype.F32:
				x, _ := file.F32(i.Name)
				n = len(x)
			case dtype.F64:
				x, _ := file.F64(i.Name)
				n = len(x)
			case dtype.I32:
				x, _ := file.I32(i.Name)
				n = len(x)
			case dtype.I64:
				x, _ := file.I64(i.Name)
				n = len(x)
			default:
				x, _ := file.U16(i.Name)
				n = len(x)
			}
			if n != i.Elems() {
				t.Fatalf("%v: %d elements", i, n)
			}
			raw[i.Name] = b
			total += int64(len(b))
		}
		if total != int64(len(data)) {
			t.Fatalf("the parts have %d bytes, the file %d", total, len(data))
		}
		again, err := safetensors.Parse("again", writeRaw(t, h, raw))
		if err != nil || len(again.Tensors()) != len(h.Tensors) {
			t.Fatalf("written again: %v", err)
		}
	})
}
