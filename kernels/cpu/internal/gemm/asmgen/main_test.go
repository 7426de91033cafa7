package main

import (
	"bytes"
	"os"
	"testing"
)

// TestDrift fails when the committed assembly is not what this generator writes; run go generate in package gemm.
func TestDrift(t *testing.T) {
	got, err := os.ReadFile("../zkernel_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, Generate()) {
		t.Error("zkernel_amd64.s differs from the generator's output; run 'go generate ./kernels/cpu/internal/gemm'")
	}
}
