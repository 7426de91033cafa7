//go:build !cu || !cgo

package cuda

import (
	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/driver/dl"
)

// system is the driver of this machine.
func system() (*driver.API, error) { return dl.Open() }
