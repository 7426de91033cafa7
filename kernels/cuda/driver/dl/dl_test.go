//go:build !nocuda && linux && (amd64 || arm64)

package dl_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"artel/kernels/cuda/driver/dl"
	"artel/kernels/cuda/driver/drivertest"
)

// library builds a shared library out of C, for the test.
func library(t *testing.T, args ...string) string {
	t.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler on the path: the library to open cannot be built")
	}
	out := filepath.Join(t.TempDir(), "libcuda.so.1")
	if text, err := exec.Command(cc, append([]string{"-shared", "-fPIC", "-w", "-o", out}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

func TestNothingToOpen(t *testing.T) {
	_, err := dl.Open("/nowhere/libcuda.so.1", "libnothing-cuda.so")
	if err == nil || !strings.Contains(err.Error(), "/nowhere/libcuda.so.1") || !strings.Contains(err.Error(), "libnothing-cuda.so") {
		t.Errorf("the error does not list what was tried: %v", err)
	}
}

// TestOldDriver checks that a library without the calls that are needed is refused by their names.
func TestOldDriver(t *testing.T) {
	_, err := dl.Open(library(t, "-DcuMemAllocAsync=other", "-DcuGraphExecUpdate_v2=another", "../drivertest/testdata/stub.c"))
	if err == nil || !strings.Contains(err.Error(), "lacks cuMemAllocAsync, cuGraphExecUpdate:") {
		t.Errorf("got %v", err)
	}
}

// TestCalls makes every call of the driver through a library whose functions check what they get.
func TestCalls(t *testing.T) {
	t.Setenv(dl.Env, library(t, "../drivertest/testdata/stub.c"))
	api, err := dl.Open()
	if err != nil {
		t.Fatal(err)
	}
	drivertest.Run(t, api)
}
