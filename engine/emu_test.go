package engine_test

import (
	"encoding/json"
	"errors"
	"math"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"artel/dtype"
	"artel/engine"
	"artel/internal/tol"
	"artel/kernels"
	"artel/kernels/cpu"
	"artel/kernels/cuda"
	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/driver/fake"
	"artel/kernels/cuda/emu"
	"artel/kernels/cuda/emu/provider"
)

// emulated is the CUDA backend on the emulator.
func emulated(t *testing.T, sanitize bool, products dtype.Type) *kernels.Backend {
	t.Helper()
	drv := provider.New(emu.Options{Sanitize: sanitize, MemoryBytes: 1 << 30})
	drv.Defer() // a missing wait gives wrong numbers
	be, _, err := cuda.OpenOn(drv.API(), 0, products)
	if err != nil {
		t.Fatal(err)
	}
	return be
}

// near fails when parameters differ by more than a share of what training moved them.
func near(t *testing.T, got, want, start []float64, share float64) {
	t.Helper()
	diff, moved := distance(got, want), distance(want, start)
	if moved == 0 || diff/moved > share {
		t.Errorf("parameters differ by %.2e of the way they went, want at most %.0e", diff/moved, share)
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
	checked := newOn(t, newConfig(t, args...), emulated(t, true, dtype.F32))
	steps(t, checked, 1)
	steps(t, slow, 1)
	near(t, downloaded(checked), params(slow), start, 1e-4)

	t.Setenv(cuda.GraphsEnv, "0")
	fast := newOn(t, newConfig(t, args...), emulated(t, false, dtype.F32))
	steps(t, fast, 4)
	t.Setenv(cuda.GraphsEnv, "")
	graphs := newOn(t, newConfig(t, args...), emulated(t, false, dtype.F32))
	steps(t, graphs, 4)
	sameBits(t, downloaded(graphs), downloaded(fast))
	steps(t, fast, 4)
	steps(t, slow, 7)
	near(t, downloaded(fast), params(slow), start, 1e-3)

	resumed := newOn(t, newConfig(t, args...), emulated(t, false, dtype.F32))
	restore(t, resumed, slow)
	back := newEngine(t, args...)
	restore(t, back, fast)
	steps(t, resumed, 2)
	steps(t, back, 2)
	steps(t, slow, 2)
	near(t, downloaded(resumed), params(slow), start, 1e-3)
	near(t, params(back), params(slow), start, 1e-3)
}

// TestEmulatorWeighs trains with methods that weigh losses, one of them with those after the step too: on the shipped PTX the stream asks it, as a node of the step's graph or by
// itself, with the losses, weights, memory and parameters of the CPU, through a checkpoint too; and it stops where numbers are not finite as the CPU does.
func TestEmulatorWeighs(t *testing.T) {
	if testing.Short() {
		t.Skip("emulates thousands of kernels")
	}
	for _, method := range []string{"{name: dwa, window: 1}", "famo"} {
		t.Run(method, func(t *testing.T) { emulatorWeighs(t, "surgery.method="+method, "batch=8", "data.prefetch=0") })
	}
}

func emulatorWeighs(t *testing.T, args ...string) {
	slow := newEngine(t, args...)
	start := params(slow)
	var want, got []engine.Result
	collect := func(e *engine.Engine, out *[]engine.Result, n int) {
		for range n {
			steps(t, e, 1)
			for _, r := range e.Results() {
				r.Losses = slices.Clone(r.Losses)
				*out = append(*out, r)
			}
		}
	}
	collect(slow, &want, 4)
	t.Setenv(cuda.GraphsEnv, "0")
	plain := newOn(t, newConfig(t, args...), emulated(t, false, dtype.F32))
	collect(plain, &got, 4)
	t.Setenv(cuda.GraphsEnv, "")
	graphs := newOn(t, newConfig(t, args...), emulated(t, false, dtype.F32))
	steps(t, graphs, 2)
	resumed := newOn(t, newConfig(t, args...), emulated(t, true, dtype.F32))
	restore(t, resumed, graphs)
	steps(t, graphs, 2)
	steps(t, resumed, 2)
	sameBits(t, downloaded(graphs), downloaded(plain))
	sameBits(t, downloaded(resumed), downloaded(plain))
	near(t, downloaded(plain), params(slow), start, 1e-3)
	for i, r := range got {
		tol.Check(t, "losses", dtype.F32, 1000, r.Losses, want[i].Losses)
	}
	if len(got) < 2 {
		t.Errorf("%d results of 4 steps", len(got))
	}
	tol.Check(t, "what the method remembers", dtype.F32, 1000, memory(t, graphs), memory(t, slow))

	for _, e := range []*engine.Engine{slow, graphs} {
		e.Backend().Axpy(kernels.Axpy{Dst: e.Set.Flat, Src: e.Set.Flat, Alpha: 1e19})
		var err error
		for i := 0; i < 4 && err == nil; i++ {
			err = e.Step()
		}
		var nf *engine.NotFiniteError
		if !errors.As(err, &nf) || nf.Step != 5 {
			t.Errorf("%s: %v", e.Backend().Name, err)
		}
	}
	tol.Check(t, "what the method remembers after the error", dtype.F32, 1000, memory(t, graphs), memory(t, slow))
}

// memory is what a method remembers, as a checkpoint holds it.
func memory(t *testing.T, e *engine.Engine) (out []float64) {
	t.Helper()
	s, err := e.Snapshot(0, "")
	if err != nil {
		t.Fatal(err)
	}
	var state struct {
		Surgery []struct{ Data []string }
	}
	if err := json.Unmarshal(s.State, &state); err != nil {
		t.Fatal(err)
	}
	for _, a := range state.Surgery {
		for _, text := range a.Data {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		t.Error("the method remembers nothing")
	}
	return out
}

// TestEmulatorHalves trains with products on tensor cores. An operand at a border of bfloat16 is rounded differently there and on the CPU; float32 lies further away.
func TestEmulatorHalves(t *testing.T) {
	if testing.Short() {
		t.Skip("emulates thousands of kernels")
	}
	train := func(be *kernels.Backend) []float64 {
		e := newOn(t, newConfig(t, "surgery.method=pcgrad", "optimizer.rule=sgd", "batch=8", "data.prefetch=0"), be)
		steps(t, e, 2)
		return downloaded(e)
	}
	rounding, err := cpu.NewPrecision("", dtype.BF16)
	if err != nil {
		t.Fatal(err)
	}
	device := emulated(t, false, dtype.BF16)
	rounding.Halves = device.Halves // or one of them would round what the other one keeps
	full, half := train(cpu.New()), train(rounding)
	got := train(device)
	if wrong, apart := distance(got, half), distance(full, half); apart < 1e-7 || wrong > apart/4 {
		t.Errorf("parameters lie %.2e from the CPU's, which lie %.2e from those of float32", wrong, apart)
	}
}

func distance(a, b []float64) float64 {
	var sum float64
	for i := range a {
		sum += (a[i] - b[i]) * (a[i] - b[i])
	}
	return math.Sqrt(sum)
}

// TestStepShape counts the driver's calls in a step: what waits is what design note 8 declares, nothing is allocated, loaded or copied back.
func TestStepShape(t *testing.T) {
	for _, c := range []struct {
		method                 string
		waits, calls, forwards int
	}{{"sum", 0, 0, 1}, {"pcgrad", 1, 0, 1}, {"dwa", 0, 1, 1}, {"uncertainty", 0, 1, 1}, {"famo", 0, 2, 2}} {
		f := fake.New()
		be, _, err := cuda.OpenOn(f.API(), 0, dtype.F32)
		if err != nil {
			t.Fatal(err)
		}
		e := newOn(t, newConfig(t, "surgery.method="+c.method, "data.prefetch=0"), be)
		steps(t, e, 4)
		for range 10 { // until what the first steps dropped is collected and freed
			runtime.GC()
			time.Sleep(time.Millisecond)
			f.Calls = nil
			steps(t, e, 1)
			if f.Count("cuMemFree")+f.Count("cuMemFreeHost") == 0 {
				break
			}
		}
		if n := f.Count("cuStreamSynchronize"); n != c.waits {
			t.Errorf("%s: a step waits %d times, want %d", c.method, n, c.waits)
		}
		if n := f.Count("cuEventSynchronize"); n != c.forwards-c.waits {
			t.Errorf("%s: a step waits %d times for recordings before it, want %d", c.method, n, c.forwards-c.waits)
		}
		for _, call := range []string{"cuMemAlloc", "cuMemHostAlloc", "cuMemFree", "cuMemFreeHost", "cuModuleLoadDataEx", "cuModuleGetFunction", "cuMemcpyDtoHAsync", "cuMemcpyDtoH", "cuMemcpyHtoD", "cuCtxSynchronize"} {
			if n := f.Count(call); n != 0 {
				t.Errorf("%s: %d calls of %s in a step, want none", c.method, n, call)
			}
		}
		if n := f.Count("cuMemcpyHtoDAsync"); n != c.forwards {
			t.Errorf("%s: %d uploads in a step, want %d: the rows of every forward pass", c.method, n, c.forwards)
		}
		if n := f.Count("cuLaunchHostFunc"); n != c.calls {
			t.Errorf("%s: %d functions of the host in a step, want %d", c.method, n, c.calls)
		}
		t.Logf("%s: %d launches, %d calls in a step", c.method, f.Count("cuLaunchKernel"), len(f.Calls))
	}
}

// TestGraphs counts how a step reaches the device when kernels go as graphs: as many launches as waits, all of them updates of graphs that are there, and no
// kernel by itself.
func TestGraphs(t *testing.T) {
	t.Setenv(cuda.GraphsEnv, "")
	for _, c := range []struct {
		method string
		most   int
	}{{"sum", 1}, {"dwa", 1}, {"famo", 2}, {"pcgrad", 2}} { // one for every wait and for the rows, and the tail that the Sync below launches
		f := fake.New()
		ran := 0
		f.Kernel = func(string, *driver.Launch) error {
			ran++
			return nil
		}
		be, _, err := cuda.OpenOn(f.API(), 0, dtype.F32)
		if err != nil {
			t.Fatal(err)
		}
		e := newOn(t, newConfig(t, "surgery.method="+c.method, "data.prefetch=0"), be)
		steps(t, e, 6)
		if err := be.Sync(); err != nil {
			t.Fatal(err)
		}
		f.Calls, ran = nil, 0
		steps(t, e, 1)
		if err := be.Sync(); err != nil { // the update of the parameters is still recorded
			t.Fatal(err)
		}
		launched, updated, made := f.Count("cuGraphLaunch"), f.Count("cuGraphExecUpdate"), f.Count("cuGraphInstantiate")
		if launched == 0 || launched > c.most || updated != launched || made != 0 {
			t.Errorf("%s: %d launches of graphs, %d updates, %d new ones; want at most %d launches, all updates", c.method, launched, updated, made, c.most)
		}
		if n := f.Count("cuLaunchKernel"); ran != n || n == 0 {
			t.Errorf("%s: %d kernels recorded, %d ran", c.method, n, ran)
		}
	}
}
