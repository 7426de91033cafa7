package engine_test

import (
	"math"
	"testing"

	"artel/checkpoint"
	"artel/dtype"
	"artel/engine"
	"artel/kernels"
	"artel/kernels/cuda"
	"artel/kernels/cuda/emu"
	"artel/kernels/cuda/emu/provider"
)

// emulated is the CUDA backend on the emulator.
func emulated(t *testing.T, sanitize bool) *kernels.Backend {
	t.Helper()
	be, _, err := cuda.OpenOn(provider.New(emu.Options{Sanitize: sanitize, MemoryBytes: 1 << 30}).API(), 0, dtype.F32)
	if err != nil {
		t.Fatal(err)
	}
	return be
}

// near fails when parameters differ by more than a share of what training moved them.
func near(t *testing.T, got, want, start []float64, share float64) {
	t.Helper()
	var diff, moved float64
	for i := range want {
		diff += (got[i] - want[i]) * (got[i] - want[i])
		moved += (want[i] - start[i]) * (want[i] - start[i])
	}
	if moved == 0 || math.Sqrt(diff/moved) > share {
		t.Errorf("parameters differ by %.2e of the way they went, want at most %.0e", math.Sqrt(diff/moved), share)
	}
}

// TestEmulator trains a small mixture with PCGrad on the shipped PTX, one step of it under the emulator's checks, and compares with the CPU. A run moves from one
// to the other by a checkpoint.
func TestEmulator(t *testing.T) {
	if testing.Short() {
		t.Skip("emulates thousands of kernels")
	}
	args := []string{"surgery.method=pcgrad", "batch=8", "data.prefetch=0"}
	slow := newEngine(t, args...)
	start := params(slow)
	checked := newOn(t, newConfig(t, args...), emulated(t, true))
	steps(t, checked, 1)
	steps(t, slow, 1)
	near(t, downloaded(checked), params(slow), start, 1e-4)

	fast := newOn(t, newConfig(t, args...), emulated(t, false))
	steps(t, fast, 8)
	steps(t, slow, 7)
	near(t, downloaded(fast), params(slow), start, 1e-3)

	resumed := newOn(t, newConfig(t, args...), emulated(t, false))
	restore(t, resumed, slow)
	back := newEngine(t, args...)
	restore(t, back, fast)
	steps(t, resumed, 2)
	steps(t, back, 2)
	steps(t, slow, 2)
	near(t, downloaded(resumed), params(slow), start, 1e-3)
	near(t, params(back), params(slow), start, 1e-3)
}

// restore takes the state of one engine into another through a checkpoint on disk.
func restore(t *testing.T, to, from *engine.Engine) {
	t.Helper()
	s, err := from.Snapshot(0, "test")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := checkpoint.Save(checkpoint.Disk(), dir, s); err != nil {
		t.Fatal(err)
	}
	l, err := checkpoint.Load(dir + "/" + checkpoint.Name(s.Step))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := to.Restore(l); err != nil {
		t.Fatal(err)
	}
}

