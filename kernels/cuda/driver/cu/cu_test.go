//go:build cu && cgo

package cu_test

import (
	"testing"

	"artel/kernels/cuda/driver/cu"
	"artel/kernels/cuda/driver/drivertest"
)

// TestCalls makes every call of the driver. "scripts/cuda-toolchain exec" puts the stub in the place of libcuda.
func TestCalls(t *testing.T) {
	api, err := cu.Open()
	if err != nil {
		t.Fatal(err)
	}
	if name, err := api.DeviceName(0); err != nil || name != "Stub 9000" {
		t.Skipf("the driver is not the stub: device %q, %v", name, err)
	}
	drivertest.Run(t, api)
}
