package safetensors

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"artel/dtype"
)

// metadataKey is the one header entry that is not a tensor.
const metadataKey = "__metadata__"

// Info declares a tensor: its name, element type and shape. A shape without dimensions is a scalar.
type Info struct {
	Name  string
	DType dtype.Type
	Shape []int
}

// Header declares the contents of a file: tensors in the order of their data, and free text.
type Header struct {
	Tensors  []Info
	Metadata map[string]string
}

// Bytes returns the size of the tensor's data in bytes. It is meant for an Info of a File or one that a Writer accepted;
// for an impossible shape it returns -1.
func (i Info) Bytes() int64 {
	n, problem := i.bytes()
	if problem != "" {
		return -1
	}
	return n
}

// Elems returns the number of elements, 1 for a scalar, -1 for an impossible shape.
func (i Info) Elems() int {
	n := i.Bytes()
	if n < 0 {
		return -1
	}
	return int(n / int64(i.DType.Size()))
}

// bytes returns the size of the data, or what is wrong with the declaration.
func (i Info) bytes() (n int64, problem string) {
	size := i.DType.Size()
	if size == 0 {
		return 0, "dtype: got " + i.DType.String() + ", want F32, F64, BF16, I32, F16 or I64"
	}
	n = int64(size)
	for _, d := range i.Shape {
		if d < 0 {
			return 0, fmt.Sprintf("shape: got %v, want no negative dimension", i.Shape)
		}
		if d > 0 && n > math.MaxInt/int64(d) {
			return 0, fmt.Sprintf("shape: got %v, more than %d bytes", i.Shape, int64(math.MaxInt))
		}
		n *= int64(d)
	}
	return n, ""
}

// Sort orders tensors by the size of their elements, widest first, then by name. In this order every tensor starts at a
// multiple of its element size, so that every view of the file is zero-copy; the Python library writes it as well.
func Sort(tensors []Info) {
	slices.SortStableFunc(tensors, func(a, b Info) int {
		return cmp.Or(cmp.Compare(b.DType.Size(), a.DType.Size()), cmp.Compare(a.Name, b.Name))
	})
}

// check returns the first mistake of a declaration as an *Error, or nil.
func (h Header) check(file string) error {
	seen := make(map[string]bool, len(h.Tensors))
	total := int64(0)
	for _, t := range h.Tensors {
		n, problem := t.bytes()
		switch {
		case t.Name == "":
			problem = "name: got an empty one"
		case t.Name == metadataKey:
			problem = "name: it is reserved for the metadata"
		case !utf8.ValidString(t.Name):
			problem = "name: want UTF-8"
		case seen[t.Name]:
			problem = "name: declared twice"
		case problem == "" && total > math.MaxInt-n:
			problem = fmt.Sprintf("the tensors up to this one have more than %d bytes", int64(math.MaxInt))
		}
		if problem != "" {
			return &Error{File: file, Tensor: t.Name, Msg: problem}
		}
		seen[t.Name] = true
		total += n
	}
	for k, v := range h.Metadata {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return &Error{File: file, Msg: fmt.Sprintf("metadata %q: want UTF-8", k)}
		}
	}
	return nil
}
