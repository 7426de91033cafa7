package cpu_test

import (
	"testing"

	"artel/dtype"
	"artel/kernels"
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

// TestConformanceBF16 runs the products of every variant with operands rounded to bfloat16: against the definition of rounded operands, with
// the tolerance of float32.
func TestConformanceBF16(t *testing.T) {
	defer cpu.SetWorkers(0)
	for _, name := range cpu.Variants() {
		t.Run(name, func(t *testing.T) {
			b, err := cpu.NewPrecision(name, dtype.BF16)
			if err != nil {
				t.Fatal(err)
			}
			only := &kernels.Backend{Name: b.Name, Float: b.Float, Products: b.Products, Halves: b.Halves, Alloc: b.Alloc, AllocShared: b.AllocShared, Sync: b.Sync}
			only.Keep, only.Moves = b.Keep, b.Moves
			only.GEMM, only.GroupedGEMM, only.GradW = b.GEMM, b.GroupedGEMM, b.GradW
			only.Experts, only.CellGram, only.Gated, only.GatedGrad = b.Experts, b.CellGram, b.Gated, b.GatedGrad
			kerneltest.RunWith(t, only, kerneltest.Options{SetWorkers: cpu.SetWorkers})
		})
	}
	if _, err := cpu.NewPrecision("", dtype.F16); err == nil {
		t.Error("products in F16: want an error")
	}
}

func TestUnknownVariant(t *testing.T) {
	if _, err := cpu.NewVariant("sse9"); err == nil {
		t.Error("want an error that lists the variants")
	}
}
