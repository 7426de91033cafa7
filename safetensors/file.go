package safetensors

import (
	"fmt"
	"maps"
	"strings"

	"artel/dtype"
	"artel/internal/registry"
)

// File is an open file, or a set of shards opened by their index. Its methods may be called from several goroutines; Close may not.
type File struct {
	name     string
	list     []Info
	where    map[string]location
	metadata map[string]string
	release  []func() error // unmaps the data
}

// location is a tensor's place in list and its bytes.
type location struct {
	i    int
	data []byte
}

// Parse reads a whole file that is in memory; name stands for it in messages. Views point into data.
func Parse(name string, data []byte) (*File, error) {
	f := &File{name: name, where: map[string]location{}, metadata: map[string]string{}}
	if err := f.add(name, data); err != nil {
		return nil, err
	}
	return f, nil
}

// Open maps the file at path, or all shards of the index at path when it ends in ".index.json". On systems without mmap the
// file is read into memory.
//
// Views are read-only memory and end with Close; the file must not be shortened while it is open. Errors are an *Error for a file
// that breaks a rule of the format, else the system's.
func Open(path string) (*File, error) {
	f := &File{name: path, where: map[string]location{}, metadata: map[string]string{}}
	var err error
	if strings.HasSuffix(path, indexSuffix) {
		err = f.openShards(path)
	} else {
		err = f.open(path)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// open maps one file and adds its tensors.
func (f *File) open(path string) error {
	data, release, err := load(path)
	if err != nil {
		return err
	}
	f.release = append(f.release, release)
	return f.add(path, data)
}

// add adds the tensors and metadata of one file's contents.
func (f *File) add(name string, data []byte) error {
	n, err := headerLength(name, data, int64(len(data)))
	if err != nil {
		return err
	}
	header, body := data[8:8+n], data[8+n:]
	list, metadata, err := parseHeader(name, header, int64(len(body)))
	if err != nil {
		return err
	}
	for _, e := range list {
		if _, dup := f.where[e.Name]; dup {
			return &Error{File: name, Tensor: e.Name, Msg: "another shard has it, too"}
		}
		f.where[e.Name] = location{i: len(f.list), data: body[e.begin:e.end:e.end]}
		f.list = append(f.list, e.Info)
	}
	maps.Copy(f.metadata, metadata)
	return nil
}

// Close unmaps the data; a view used afterwards is a fault.
func (f *File) Close() error {
	var first error
	for _, r := range f.release {
		if err := r(); err != nil && first == nil {
			first = err
		}
	}
	f.release, f.list, f.where = nil, nil, nil
	return first
}

// Tensors lists the tensors in the order of their data, shard by shard. The caller must not change the list.
func (f *File) Tensors() []Info { return f.list }

// Metadata returns the free text of the header; it is empty, never nil, when there is none. Shards are merged, later ones win.
func (f *File) Metadata() map[string]string { return f.metadata }

// Lookup returns the declaration of the tensor called name.
func (f *File) Lookup(name string) (Info, bool) {
	l, ok := f.where[name]
	if !ok {
		return Info{}, false
	}
	return f.list[l.i], true
}

// Bytes returns the little-endian data of the tensor called name: a view, not a copy.
func (f *File) Bytes(name string) ([]byte, error) { return f.bytes(name) }

// F32 returns the elements of the F32 tensor called name, [elements]: a view when the data is aligned, else a copy.
func (f *File) F32(name string) ([]float32, error) { return get[float32](f, name, dtype.F32) }

// F64 returns the elements of the F64 tensor called name, as F32 does.
func (f *File) F64(name string) ([]float64, error) { return get[float64](f, name, dtype.F64) }

// U16 returns the bits of the elements of the BF16 or F16 tensor called name, as F32 does.
func (f *File) U16(name string) ([]uint16, error) { return get[uint16](f, name, dtype.BF16, dtype.F16) }

// I32 returns the elements of the I32 tensor called name, as F32 does.
func (f *File) I32(name string) ([]int32, error) { return get[int32](f, name, dtype.I32) }

// I64 returns the elements of the I64 tensor called name, as F32 does.
func (f *File) I64(name string) ([]int64, error) { return get[int64](f, name, dtype.I64) }

// get returns a tensor's elements, which must have one of the types.
func get[E element](f *File, name string, types ...dtype.Type) ([]E, error) {
	b, err := f.bytes(name, types...)
	if err != nil {
		return nil, err
	}
	return view[E](b, littleEndian()), nil
}

// bytes returns a tensor's data; no types means any type.
func (f *File) bytes(name string, types ...dtype.Type) ([]byte, error) {
	l, ok := f.where[name]
	if !ok {
		return nil, f.missing(name)
	}
	got := f.list[l.i].DType
	for _, t := range types {
		if t == got {
			return l.data, nil
		}
	}
	if len(types) == 0 {
		return l.data, nil
	}
	words := make([]string, len(types))
	for i, t := range types {
		words[i] = t.String()
	}
	return nil, &Error{File: f.name, Tensor: name, Msg: fmt.Sprintf("got dtype %s, want %s", got, strings.Join(words, " or "))}
}

// missing tells that a tensor is not there, and which name is near.
func (f *File) missing(name string) error {
	names := make([]string, len(f.list))
	for i, t := range f.list {
		names[i] = t.Name
	}
	msg := fmt.Sprintf("not among its %d tensors", len(names))
	if near := registry.Nearest(name, names); near != "" {
		msg += fmt.Sprintf("; did you mean %q?", near)
	}
	return &Error{File: f.name, Tensor: name, Msg: msg}
}
