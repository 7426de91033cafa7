package cpu_test

import (
	"testing"

	"artel/kernels/cpu"
	"artel/kernels/kerneltest"
)

// TestConformance runs the suite of the contract over every variant that this processor runs.
func TestConformance(t *testing.T) {
	defer cpu.SetWorkers(0)
	for _, name := range cpu.Variants() {
		t.Run(name, func(t *testing.T) {
			b, err := cpu.NewVariant(name)
			if err != nil {
				t.Fatal(err)
			}
			kerneltest.RunWith(t, b, kerneltest.Options{SetWorkers: cpu.SetWorkers, RequireAll: true})
		})
	}
}

func TestUnknownVariant(t *testing.T) {
	if _, err := cpu.NewVariant("sse9"); err == nil {
		t.Error("want an error that lists the variants")
	}
}
