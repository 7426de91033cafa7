//go:build !unix

package safetensors

import (
	"os"

	"github.com/pkg/errors"
)

// load reads the file at path into memory. release does nothing: the garbage collector frees it.
func load(path string) (data []byte, release func() error, err error) {
	data, err = os.ReadFile(path)
	if err != nil {
		return nil, nil, errors.WithMessage(err, "safetensors")
	}
	return data, func() error { return nil }, nil
}
