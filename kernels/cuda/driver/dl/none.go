//go:build nocuda || !linux || !(amd64 || arm64)

package dl

import (
	"fmt"
	"runtime"

	"artel/kernels/cuda/driver"
)

// Open says why this build has no CUDA driver.
func Open(...string) (*driver.API, error) {
	return nil, fmt.Errorf("libcuda: left out of this build (%s/%s; build on linux without the tag nocuda to have it)", runtime.GOOS, runtime.GOARCH)
}
