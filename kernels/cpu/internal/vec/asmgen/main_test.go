package main

import (
	"bytes"
	"os"
	"testing"
)

// TestDrift fails when the committed loops are not what this generator writes; run go generate in package vec.
func TestDrift(t *testing.T) {
	for name, want := range files() {
		got, err := os.ReadFile("../" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from the generator's output; run 'go generate ./kernels/cpu/internal/vec'", name)
		}
	}
}
