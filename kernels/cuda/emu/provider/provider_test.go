package provider_test

import (
	"errors"
	"os"
	"testing"
	"unsafe"

	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/emu"
	"artel/kernels/cuda/emu/provider"
)

type rig struct {
	*testing.T
	*driver.API
	drv *provider.Driver
	mod driver.Module
}

func newRig(t *testing.T) *rig {
	drv := provider.New(emu.Options{Sanitize: true, Capability: 80})
	r := &rig{t, drv.API(), drv, 0}
	if err := r.Complete(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../testdata/programs.sm_80.ptx")
	if err != nil {
		t.Fatal(err)
	}
	r.mod, _, err = r.ModuleLoad(append(text, 0))
	r.must(err)
	return r
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func one(x uint32) driver.Dim3 { return driver.Dim3{X: x, Y: 1, Z: 1} }

// scan is a launch of the scan kernel over n numbers at x to y.
func (r *rig) scan(x, y driver.Ptr, n int, s driver.Stream) *driver.Launch {
	r.Helper()
	f, err := r.ModuleFunction(r.mod, "scan")
	r.must(err)
	return &driver.Launch{Function: f, Grid: one(1), Block: one(64), Shared: 64 * 8, Stream: s, Args: new(driver.Args).Ptr(x).Ptr(y).I32(n).Bytes()}
}

func TestLaunchAndGraph(t *testing.T) {
	r := newRig(t)
	host, err := r.HostAlloc(256)
	r.must(err)
	in := unsafe.Slice((*int32)(host.Addr), 64)
	for i := range in {
		in[i] = int32(i)
	}
	x, err := r.MemAlloc(256)
	r.must(err)
	y, err := r.MemAlloc(256)
	r.must(err)
	s, err := r.StreamCreate()
	r.must(err)
	r.must(r.BeginCapture(s))
	r.must(r.MemcpyHtoDAsync(x, host.Addr, 256, s))
	r.must(r.Launch(r.scan(x, y, 64, s)))
	r.must(r.MemcpyDtoHAsync(host.Addr, y, 256, s))
	g, err := r.EndCapture(s)
	r.must(err)
	if in[63] != 63 || len(r.drv.Kernels()) != 0 {
		t.Fatal("work ran while it was captured")
	}
	e, err := r.GraphInstantiate(g)
	r.must(err)
	r.must(r.GraphLaunch(e, s))
	r.must(r.StreamSynchronize(s))
	if in[63] != 63*64/2 {
		t.Fatalf("scan ends in %d, want %d", in[63], 63*64/2)
	}
	if k := r.drv.Kernels(); len(k) != 1 || k[0].Launches != 1 || k[0].Counters.Threads == 0 || k[0].Threads != 64 || k[0].Shared != 512 {
		t.Errorf("kernels %+v", k)
	}
	// A graph with one call less has another shape.
	r.must(r.BeginCapture(s))
	r.must(r.Launch(r.scan(x, y, 64, s)))
	g2, err := r.EndCapture(s)
	r.must(err)
	if ok, err := r.GraphExecUpdate(e, g2); ok || err != nil {
		t.Errorf("update with another shape: %v, %v", ok, err)
	}
	if ok, err := r.GraphExecUpdate(e, g); !ok || err != nil {
		t.Errorf("update with the same shape: %v, %v", ok, err)
	}
	r.must(r.HostFree(host))
	r.must(r.MemFree(x))
	r.must(r.MemFree(y))
	r.must(r.drv.Device().Leaks())
}

func TestFault(t *testing.T) {
	r := newRig(t)
	x, err := r.MemAlloc(128)
	r.must(err)
	r.must(r.MemsetD32Async(x, 3, 32, 0))
	y, err := r.MemAlloc(128)
	r.must(err)
	err = r.Launch(r.scan(x, y, 40, 0))
	var f *emu.Fault
	if !driver.Is(err, driver.IllegalAddress) || !errors.As(err, &f) || f.Kernel != "scan" || f.Kind != emu.OutOfBounds || f.Thread.X != 32 {
		t.Fatalf("got %v", err)
	}
	if r.Synchronize() == nil {
		t.Error("the fault is forgotten")
	}
}

func TestRefusals(t *testing.T) {
	r := newRig(t)
	_, _, err := r.ModuleLoad([]byte(".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k() {\n frob.b32;\n}\n"))
	if !driver.Is(err, driver.InvalidPTX) {
		t.Error(err)
	}
	_, err = r.ModuleFunction(r.mod, "nothing")
	if !driver.Is(err, driver.NotFound) {
		t.Error(err)
	}
	l := r.scan(0, 0, 1, 0)
	l.Shared = 64 << 10
	if err := r.Launch(l); !driver.Is(err, driver.InvalidValue) {
		t.Error(err)
	}
	r.must(r.SetFunctionAttribute(l.Function, driver.FuncMaxDynShared, 64<<10))
	if err := r.Launch(l); !driver.Is(err, driver.IllegalAddress) {
		t.Error(err)
	}
	if v, err := r.CapabilityOf(0); v != 80 || err != nil {
		t.Error(v, err)
	}
}

// TestDefer queues work that the host does not wait for at first.
func TestDefer(t *testing.T) {
	r := newRig(t)
	r.drv.Defer()
	host, err := r.HostAlloc(256)
	r.must(err)
	in := unsafe.Slice((*int32)(host.Addr), 64)
	for i := range in {
		in[i] = 1
	}
	x, err := r.MemAlloc(256)
	r.must(err)
	r.must(r.MemcpyHtoDAsync(x, host.Addr, 256, 0))
	r.must(r.Launch(r.scan(x, x, 64, 0)))
	r.must(r.MemcpyDtoHAsync(host.Addr, x, 256, 0))
	if in[63] != 1 {
		t.Fatal("work ran before anybody waited")
	}
	r.must(r.StreamSynchronize(0))
	if in[63] != 64 {
		t.Fatalf("scan ends in %d, want 64", in[63])
	}
	// The buffer is reused before the copy has run: the device gets the new numbers.
	r.must(r.MemcpyHtoDAsync(x, host.Addr, 256, 0))
	in[0] = 77
	var back [64]int32
	r.must(r.MemcpyDtoH(unsafe.Pointer(&back), x, 256))
	if back[0] != 77 {
		t.Errorf("the copy read %d, want what the buffer holds at the end, 77", back[0])
	}
	// A fault comes with the wait.
	r.must(r.Launch(r.scan(x, x, 2000, 0)))
	r.must(r.Launch(r.scan(0, x, 64, 0)))
	if err := r.Synchronize(); !driver.Is(err, driver.IllegalAddress) {
		t.Errorf("got %v", err)
	}
	r.must(r.MemFree(x))
}
