package checkpoint

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"hash"
	"path/filepath"

	"artel/dtype"
	"artel/safetensors"
	"artel/tensor"

	"github.com/pkg/errors"
)

// shardBytes is the most data that one tensor file holds.
const shardBytes = 4 << 30

// overlap is the size from which on a piece is worth a goroutine that hashes it while it is written.
const overlap = 256 << 10

// summer passes on what is written to it and hashes it on the way, so that no file is read again for its hash.
type summer struct {
	to  File
	sum hash.Hash
}

func (s *summer) Write(p []byte) (int, error) {
	if len(p) < overlap {
		s.sum.Write(p)
		return s.to.Write(p)
	}
	done := make(chan struct{})
	go func() {
		s.sum.Write(p)
		close(done)
	}()
	n, err := s.to.Write(p)
	<-done
	return n, err
}

// writer writes the files of one checkpoint into dir.
type writer struct {
	fs         FS
	dir        string
	shardBytes int64
	sums       sums
}

// file writes one synced file and notes its hash.
func (w *writer) file(name string, content func(out *bufio.Writer) error) (err error) {
	defer func() { err = errors.WithMessage(err, name) }()
	f, err := w.fs.Create(filepath.Join(w.dir, name))
	if err != nil {
		return err
	}
	s := &summer{to: f, sum: sha256.New()}
	out := bufio.NewWriterSize(s, overlap)
	if err = content(out); err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	w.sums = append(w.sums, sum{name: name, hex: fmt.Sprintf("%x", s.sum.Sum(nil))})
	return err
}

// bytes writes a file that is in memory.
func (w *writer) bytes(name string, b []byte) error {
	return w.file(name, func(out *bufio.Writer) error {
		_, err := out.Write(b)
		return err
	})
}

// tensors writes STEM.safetensors, or its shards and their index.
func (w *writer) tensors(stem string, h safetensors.Header, list []Tensor) error {
	values := make(map[string]tensor.Tensor, len(list))
	for _, t := range list {
		values[t.Name] = t.Value
	}
	runs := safetensors.Split(h.Tensors, w.shardBytes)
	index := safetensors.Index{WeightMap: make(map[string]string, len(list))}
	for i, run := range runs {
		name := stem + suffix
		if len(runs) > 1 {
			name = fmt.Sprintf("%s-%05d-of-%05d%s", stem, i+1, len(runs), suffix)
		}
		err := w.file(name, func(out *bufio.Writer) error {
			return writeTensors(out, name, safetensors.Header{Tensors: run, Metadata: h.Metadata}, values)
		})
		if err != nil {
			return err
		}
		for _, t := range run {
			index.WeightMap[t.Name] = name
			index.TotalSize += t.Bytes()
		}
	}
	if len(runs) == 1 {
		return nil
	}
	return w.bytes(stem+indexSuffix, index.Encode())
}

// writeTensors writes one file of tensors.
func writeTensors(out *bufio.Writer, name string, h safetensors.Header, values map[string]tensor.Tensor) error {
	w, err := safetensors.NewWriter(out, name, h)
	if err != nil {
		return err
	}
	for _, t := range h.Tensors {
		v := values[t.Name]
		switch t.DType { // the first error sticks until Close
		case dtype.F32:
			_ = w.F32(t.Name, v.F32())
		case dtype.F64:
			_ = w.F64(t.Name, v.F64())
		case dtype.I32:
			_ = w.I32(t.Name, v.I32())
		case dtype.BF16:
			_ = w.U16(t.Name, v.BF16())
		}
	}
	return w.Close()
}
