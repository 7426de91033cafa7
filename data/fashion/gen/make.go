package main

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"

	"artel/data/fashion"

	"github.com/pkg/errors"
)

// Make reads the IDX files in dir and returns the blob: the labels of all images as bytes, then the pixels, two per byte with the left one
// in the high half, deflated. A pixel is the rounded mean of a 2 x 2 square, cut to 4 bits.
func Make(dir string) ([]byte, error) {
	var labels, pixels []byte
	for _, part := range []struct {
		prefix string
		n      int
	}{{"train", fashion.Train}, {"t10k", fashion.Test}} {
		l, err := idx(filepath.Join(dir, part.prefix+"-labels-idx1-ubyte.gz"), 1)
		if err != nil {
			return nil, err
		}
		x, err := idx(filepath.Join(dir, part.prefix+"-images-idx3-ubyte.gz"), 3)
		if err != nil {
			return nil, err
		}
		if len(l) < part.n || len(x) < part.n*28*28 {
			return nil, errors.Errorf("gen: %s: %d labels and %d pixels, want %d images", part.prefix, len(l), len(x), part.n)
		}
		labels = append(labels, l[:part.n]...)
		for i := 0; i < part.n; i++ {
			pixels = append(pixels, reduce(x[i*784:(i+1)*784])...)
		}
	}
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	w.Write(labels)
	for i := 0; i < len(pixels); i += 2 {
		w.Write([]byte{pixels[i]<<4 | pixels[i+1]})
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// reduce halves a 28 x 28 image and cuts it to 4 bits.
func reduce(x []byte) []byte {
	out := make([]byte, 0, fashion.Size)
	for r := 0; r < fashion.Side; r++ {
		for c := 0; c < fashion.Side; c++ {
			p := 2*r*28 + 2*c
			sum := int(x[p]) + int(x[p+1]) + int(x[p+28]) + int(x[p+29])
			out = append(out, byte((sum+2)/4*16/256))
		}
	}
	return out
}

// idx reads a gzipped IDX file of bytes with the given number of dimensions and returns its elements.
func idx(path string, dims int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, errors.Wrap(err, path)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		return nil, errors.Wrap(err, path)
	}
	head := 4 + 4*dims
	if len(raw) < head || binary.BigEndian.Uint32(raw) != uint32(0x800+dims) {
		return nil, errors.Errorf("%s: not an IDX file of bytes with %d dimensions", path, dims)
	}
	return raw[head:], nil
}
