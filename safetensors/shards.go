package safetensors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"
)

const (
	suffix      = ".safetensors"
	indexSuffix = ".index.json"
)

// Split cuts a list of tensors into runs of at most maxBytes of data each, in order; a larger tensor stands alone.
func Split(tensors []Info, maxBytes int64) [][]Info {
	var out [][]Info
	begin, sum := 0, int64(0)
	for i, t := range tensors {
		n := t.Bytes()
		if i > begin && (sum > maxBytes-n) {
			out = append(out, tensors[begin:i:i])
			begin, sum = i, 0
		}
		sum += n
	}
	return append(out, tensors[begin:])
}

// CreateShards returns a Writer for a set of files with at most maxBytes of data each. For path model.safetensors they are
// model-00001-of-00003.safetensors and so on, with the index model.safetensors.index.json, which is written last. Where all data fits
// one file it is Create(path). No file has its name before Close succeeds. Errors are those of Create; a path that does not end in
// .safetensors and a maxBytes below 1 are refused.
func CreateShards(path string, h Header, maxBytes int64) (*Writer, error) {
	stem, ok := strings.CutSuffix(path, suffix)
	switch {
	case !ok:
		return nil, &Error{File: path, Msg: "got that path for shards, want one that ends in " + suffix}
	case maxBytes < 1:
		return nil, &Error{File: path, Msg: fmt.Sprintf("bytes per shard: got %d, want at least 1", maxBytes)}
	}
	if err := h.check(path); err != nil {
		return nil, err
	}
	runs := Split(h.Tensors, maxBytes)
	if len(runs) == 1 {
		return Create(path, h)
	}
	list := make([]part, len(runs))
	x := Index{WeightMap: make(map[string]string, len(h.Tensors))}
	at := 0
	for i, run := range runs {
		list[i] = part{path: fmt.Sprintf("%s-%05d-of-%05d%s", stem, i+1, len(runs), suffix), first: at, last: at + len(run)}
		at += len(run)
		for _, t := range run {
			x.WeightMap[t.Name] = filepath.Base(list[i].path)
			x.TotalSize += t.Bytes()
		}
	}
	return createParts(path, h, list, func() error { return x.write(path + indexSuffix) })
}

// Index tells which shard holds which tensor.
type Index struct {
	TotalSize int64             // bytes of data in all shards
	WeightMap map[string]string // tensor name to file name, in the index's directory
}

// Encode returns the index as JSON, in the order of the names.
func (x Index) Encode() []byte {
	b := append([]byte("{\n  \"metadata\": {\n    \"total_size\": "), strconv.FormatInt(x.TotalSize, 10)...)
	b = append(b, "\n  },\n  \"weight_map\": {"...)
	for i, k := range slices.Sorted(maps.Keys(x.WeightMap)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(append(b, "\n    "...), k), ": "...)
		b = appendString(b, x.WeightMap[k])
	}
	return append(b, "\n  }\n}\n"...)
}

// write writes the index under a temporary name and renames it.
func (x Index) write(path string) error {
	tmp := path + ".tmp"
	f, err := os.Create(tmp)
	if err != nil {
		return errors.WithMessage(err, "safetensors")
	}
	_, err = f.Write(x.Encode())
	if e := f.Sync(); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		_ = os.Remove(tmp)
	}
	return errors.WithMessage(err, "safetensors")
}

// ParseIndex reads an index; file stands for it in messages. Unknown entries of its metadata are allowed, as libraries
// add some; anything else unknown, a name that stands twice, and a shard outside the index's directory are errors.
func ParseIndex(file string, data []byte) (Index, error) {
	p := &parser{file: file, dec: json.NewDecoder(bytes.NewReader(data))}
	x := Index{TotalSize: -1}
	if !utf8.Valid(data) {
		return x, p.fail("", "index: want UTF-8")
	}
	if !json.Valid(data) {
		var v json.RawMessage
		return x, p.fail("", "index: not valid JSON: %v", json.Unmarshal(data, &v))
	}
	p.dec.UseNumber()
	err := p.object("", "index", func(key string) error {
		switch key {
		case "metadata":
			return p.object("", "metadata", func(key string) error { return p.indexMetadata(key, &x) })
		case "weight_map":
			x.WeightMap = map[string]string{}
			return p.object("", "weight_map", func(name string) (err error) {
				shard, err := p.string(name, "weight_map")
				if err == nil && (shard == "" || shard != filepath.Base(shard) || !filepath.IsLocal(shard)) {
					err = p.fail(name, "weight_map: got %q, want the name of a file beside the index", shard)
				}
				x.WeightMap[name] = shard
				return err
			})
		}
		return p.fail("", "index: got the key %q, want metadata and weight_map", key)
	})
	switch {
	case err != nil:
	case x.WeightMap == nil:
		err = p.fail("", "index: want weight_map")
	case x.TotalSize < 0:
		err = p.fail("", "index: want total_size in metadata")
	}
	return x, err
}

func (p *parser) indexMetadata(key string, x *Index) error {
	if key != "total_size" {
		var other json.RawMessage
		return p.dec.Decode(&other)
	}
	t, err := p.dec.Token()
	n, ok := t.(json.Number)
	v, bad := strconv.ParseUint(string(n), 10, 63)
	if err != nil || !ok || bad != nil {
		return p.fail("", "total_size: got %v, want a whole number of bytes", t)
	}
	x.TotalSize = int64(v)
	return nil
}

// openShards opens every shard of an index and checks that the index tells the truth.
func (f *File) openShards(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return errors.WithMessage(err, "safetensors")
	}
	x, err := ParseIndex(path, data)
	if err != nil {
		return err
	}
	files := slices.Compact(slices.Sorted(maps.Values(x.WeightMap)))
	total := int64(0)
	for _, shard := range files {
		first := len(f.list)
		if err := f.open(filepath.Join(filepath.Dir(path), shard)); err != nil {
			return err
		}
		for _, t := range f.list[first:] {
			if x.WeightMap[t.Name] != shard {
				return &Error{File: path, Tensor: t.Name, Msg: fmt.Sprintf("it is in %q, want %q by the index", shard, x.WeightMap[t.Name])}
			}
			total += t.Bytes()
		}
	}
	for _, name := range slices.Sorted(maps.Keys(x.WeightMap)) {
		if _, ok := f.where[name]; !ok {
			return &Error{File: path, Tensor: name, Msg: fmt.Sprintf("not in %q, where the index has it", x.WeightMap[name])}
		}
	}
	if total != x.TotalSize {
		return &Error{File: path, Msg: fmt.Sprintf("total_size: got %d, want %d, the bytes of all tensors", x.TotalSize, total)}
	}
	return nil
}
