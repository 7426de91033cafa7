package safetensors

import (
	"os"

	"github.com/pkg/errors"
)

// Create returns a Writer for a new file. The data goes to path + ".tmp"; Close syncs it and renames it to path, or
// removes it when a tensor is missing or a write failed: no half-written file ever has the name path.
func Create(path string, h Header) (*Writer, error) {
	return createParts(path, h, []part{{path: path, last: len(h.Tensors)}}, nil)
}

// part is one file of a set: it holds tensors first..last-1.
type part struct {
	path        string
	first, last int
}

// parts writes the files of a set one after the other.
type parts struct {
	w       *Writer
	h       Header
	list    []part
	cur     int // part being written
	f       *os.File
	publish func() error // after all files have their names, or nil
}

func createParts(name string, h Header, list []part, publish func() error) (*Writer, error) {
	if err := h.check(name); err != nil {
		return nil, err
	}
	p := &parts{h: h, list: list, publish: publish}
	p.w = &Writer{tensors: h.Tensors, enter: p.enter, finish: p.finish}
	if err := p.open(0); err != nil {
		return nil, errors.WithMessage(p.abandon(err), "safetensors")
	}
	return p.w, nil
}

// open begins file i with its header.
func (p *parts) open(i int) error {
	part := p.list[i]
	f, err := os.Create(part.path + ".tmp")
	if err != nil {
		return err
	}
	p.cur, p.f, p.w.out, p.w.file = i, f, f, part.path
	_, err = f.Write(encodeHeader(Header{Tensors: p.h.Tensors[part.first:part.last], Metadata: p.h.Metadata}))
	return err
}

// seal makes the current file durable.
func (p *parts) seal() error {
	f := p.f
	p.f = nil
	if err := f.Sync(); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// enter switches to the file of tensor i.
func (p *parts) enter(i int) error {
	for i >= p.list[p.cur].last {
		if err := p.seal(); err != nil {
			return errors.WithMessage(err, "safetensors")
		}
		if err := p.open(p.cur + 1); err != nil {
			return errors.WithMessage(err, "safetensors")
		}
	}
	return nil
}

// finish gives all files their names, or removes them.
func (p *parts) finish(complete bool) error {
	if !complete {
		return p.abandon(nil)
	}
	if err := p.seal(); err != nil {
		return errors.WithMessage(p.abandon(err), "safetensors")
	}
	for _, part := range p.list {
		if err := os.Rename(part.path+".tmp", part.path); err != nil {
			return errors.WithMessage(p.abandon(err), "safetensors")
		}
	}
	if p.publish != nil {
		return p.publish()
	}
	return nil
}

// abandon removes the temporary files and returns err.
func (p *parts) abandon(err error) error {
	if p.f != nil {
		_ = p.f.Close()
		p.f = nil
	}
	for i := 0; i <= p.cur; i++ {
		_ = os.Remove(p.list[i].path + ".tmp")
	}
	return err
}
