//go:build !cu || !cgo

package cu

import (
	"errors"

	"artel/kernels/cuda/driver"
)

// Open says why this build has no such driver.
func Open() (*driver.API, error) {
	return nil, errors.New("gorgonia.org/cu: left out of this build (it wants cgo and the build tag cu)")
}
