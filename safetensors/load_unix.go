//go:build unix

package safetensors

import (
	"math"
	"os"

	"github.com/pkg/errors"
	"golang.org/x/sys/unix"
)

// load maps the file at path, read-only. release ends the mapping.
func load(path string) (data []byte, release func() error, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, errors.WithMessage(err, "safetensors")
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, nil, errors.WithMessage(err, "safetensors")
	}
	// The kernel maps neither an empty file nor a directory; the first is the parser's to refuse.
	if !st.Mode().IsRegular() {
		return nil, nil, &Error{File: path, Msg: "want a regular file"}
	}
	if st.Size() == 0 {
		return nil, func() error { return nil }, nil
	}
	if st.Size() > math.MaxInt {
		return nil, nil, &Error{File: path, Msg: "too large for this machine's address space"}
	}
	data, err = unix.Mmap(int(f.Fd()), 0, int(st.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, errors.Wrapf(err, "safetensors: map %s", path)
	}
	return data, func() error { return errors.Wrapf(unix.Munmap(data), "safetensors: unmap %s", path) }, nil
}
