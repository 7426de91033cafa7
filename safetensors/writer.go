package safetensors

import (
	"fmt"
	"io"

	"artel/dtype"

	"github.com/pkg/errors"
)

// Writer streams the declared tensors, in the declared order, to one file or to shards.
//
// The first error sticks: every later call returns it, and so does Close, so a caller may check Close alone.
type Writer struct {
	file    string // for messages
	out     io.Writer
	tensors []Info
	cur     int   // the tensor being written
	filled  int64 // its bytes so far
	err     error
	enter   func(i int) error         // called before the first byte of tensor i, or nil
	finish  func(complete bool) error // called once by Close, or nil
	closed  bool
}

// NewWriter writes the header for h to out and returns a Writer for the data. name stands for the file in messages. Close does
// not close out. Errors: a declaration that no file can hold, and out's.
func NewWriter(out io.Writer, name string, h Header) (*Writer, error) {
	if err := h.check(name); err != nil {
		return nil, err
	}
	if _, err := out.Write(encodeHeader(h)); err != nil {
		return nil, errors.Wrapf(err, "safetensors: %s: header", name)
	}
	return &Writer{file: name, out: out, tensors: h.Tensors}, nil
}

// F32 writes the whole tensor called name from x, which has one float32 for each element.
func (w *Writer) F32(name string, x []float32) error { return write(w, name, x, dtype.F32) }

// F64 writes the whole tensor called name from x, which has one float64 for each element.
func (w *Writer) F64(name string, x []float64) error { return write(w, name, x, dtype.F64) }

// U16 writes the whole BF16 or F16 tensor called name from the bits of its elements.
func (w *Writer) U16(name string, x []uint16) error { return write(w, name, x, dtype.BF16, dtype.F16) }

// I32 writes the whole tensor called name from x, which has one int32 for each element.
func (w *Writer) I32(name string, x []int32) error { return write(w, name, x, dtype.I32) }

// I64 writes the whole tensor called name from x, which has one int64 for each element.
func (w *Writer) I64(name string, x []int64) error { return write(w, name, x, dtype.I64) }

// Raw writes the next bytes, already little-endian, of the tensor called name. A tensor may come in several pieces.
func (w *Writer) Raw(name string, piece []byte) error {
	if err := w.reach(name); err != nil {
		return err
	}
	t := w.tensors[w.cur]
	if want := t.Bytes(); int64(len(piece)) > want-w.filled {
		return w.fail(name, "got %d bytes after %d, want %d in all: %s %v", len(piece), w.filled, want, t.DType, t.Shape)
	}
	return w.put(piece, 1)
}

// write writes a whole tensor from elements in this machine's byte order.
func write[E element](w *Writer, name string, x []E, types ...dtype.Type) error {
	if err := w.reach(name); err != nil {
		return err
	}
	t := w.tensors[w.cur]
	ok := false
	for _, d := range types {
		ok = ok || d == t.DType
	}
	switch {
	case !ok:
		return w.fail(name, "got %s data, want %s as declared", types[0], t.DType)
	case w.filled > 0:
		return w.fail(name, "got the whole tensor after %d bytes of it", w.filled)
	case len(x) != t.Elems():
		return w.fail(name, "got %d elements, want %d: %s %v", len(x), t.Elems(), t.DType, t.Shape)
	}
	return w.put(asBytes(x), t.DType.Size())
}

// reach moves to the tensor called name, past tensors that are complete.
func (w *Writer) reach(name string) error {
	if w.closed && w.err == nil {
		return w.fail(name, "written after Close")
	}
	for w.err == nil && w.cur < len(w.tensors) && w.tensors[w.cur].Name != name && w.filled == w.tensors[w.cur].Bytes() {
		w.err = w.next()
	}
	switch {
	case w.err != nil:
		return w.err
	case w.cur == len(w.tensors):
		return w.fail(name, "got it after the last declared tensor was complete")
	}
	t := w.tensors[w.cur]
	switch {
	case t.Name == name && w.filled == 0:
		return w.start()
	case t.Name == name:
		return nil
	case w.filled > 0:
		return w.fail(t.Name, "got %d bytes, want %d, before tensor %q", w.filled, t.Bytes(), name)
	}
	return w.fail(name, "out of order: want tensor %q next", t.Name)
}

// next leaves a complete tensor, which must have been started if it has no bytes.
func (w *Writer) next() error {
	if w.filled == 0 {
		if err := w.start(); err != nil {
			return err
		}
	}
	w.cur, w.filled = w.cur+1, 0
	return nil
}

func (w *Writer) start() error {
	if w.enter != nil {
		if err := w.enter(w.cur); err != nil {
			w.err = err
		}
	}
	return w.err
}

// put sends bytes of the current tensor; elements of more than one byte are in this machine's order.
func (w *Writer) put(b []byte, size int) error {
	var err error
	if size == 1 || littleEndian() {
		if len(b) > 0 {
			_, err = w.out.Write(b)
		}
	} else {
		err = writeSwapped(w.out, b, size)
	}
	if err != nil {
		w.err = errors.Wrapf(err, "safetensors: %s: tensor %q", w.file, w.tensors[w.cur].Name)
		return w.err
	}
	w.filled += int64(len(b))
	return nil
}

func (w *Writer) fail(tensor, format string, args ...any) error {
	w.err = &Error{File: w.file, Tensor: tensor, Msg: fmt.Sprintf(format, args...)}
	return w.err
}

// Close checks that every declared tensor is complete and finishes what Create or CreateShards began. A second call does nothing.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	for w.err == nil && w.cur < len(w.tensors) {
		if t := w.tensors[w.cur]; w.filled < t.Bytes() {
			w.fail(t.Name, "got %d bytes, want %d, before Close", w.filled, t.Bytes())
		} else {
			w.err = w.next()
		}
	}
	w.closed = true
	if w.finish != nil {
		if err := w.finish(w.err == nil); w.err == nil {
			w.err = err
		}
	}
	return w.err
}
