// Package drivertest makes every call of a driver that is linked or opened against testdata/stub.c, whose functions check what they get. It tests
// providers on machines without a GPU.
package drivertest

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"unsafe"

	"artel/kernels/cuda/driver"
)

// Run makes every call of an API that stands for the stub, and checks arguments, results, errors, and that queueing allocates nothing.
func Run(t *testing.T, api *driver.API) {
	ok(t, api.Complete())
	ok(t, api.Init())
	device(t, api)
	stream, err := api.StreamCreate()
	ok(t, err)
	memory(t, api, stream)
	kernels(t, api, stream)
	hostFuncs(t, api, stream)
	graphs(t, api, stream)
	ok(t, api.StreamDestroy(stream))
	ok(t, api.PrimaryRelease(0))
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func device(t *testing.T, api *driver.API) {
	version, err := api.Version()
	ok(t, err)
	n, err := api.DeviceCount()
	ok(t, err)
	name, err := api.DeviceName(0)
	ok(t, err)
	uuid, err := api.DeviceUUID(0)
	ok(t, err)
	c, err := api.CapabilityOf(0)
	ok(t, err)
	total, err := api.DeviceTotalMem(0)
	ok(t, err)
	if version != 12040 || n != 1 || name != "Stub 9000" || uuid[15] != 7 || c != 90 || c.String() != "9.0" || total != 80<<30 {
		t.Errorf("version %d, %d devices, %q, %v, %v, %d bytes", version, n, name, uuid, c, total)
	}
	if _, err := api.DeviceName(3); !driver.Is(err, driver.InvalidDevice) || !strings.Contains(err.Error(), "cuDeviceGet:") {
		t.Errorf("device 3: %v", err)
	}
	ctx, err := api.PrimaryRetain(0)
	ok(t, err)
	ok(t, api.SetCurrent(ctx))
	free, total, err := api.MemGetInfo()
	ok(t, err)
	if free != 5 || total != 80<<30 {
		t.Errorf("%d of %d bytes free", free, total)
	}
	ok(t, api.Synchronize())
}

func memory(t *testing.T, api *driver.API, s driver.Stream) {
	p, err := api.MemAlloc(64)
	ok(t, err)
	q, err := api.MemAllocAsync(64, s)
	ok(t, err)
	h, err := api.HostAlloc(64)
	ok(t, err)
	if _, err := api.MemAlloc(1 << 41); !driver.Is(err, driver.OutOfMemory) || !strings.HasPrefix(err.Error(), "cuMemAlloc: ") {
		t.Errorf("2 TiB: %v", err)
	}
	w := unsafe.Slice((*uint32)(h.Addr), 16)
	ok(t, api.MemsetD32Async(p, 0x01020304, 16, s))
	ok(t, api.MemsetD8Async(p+4, 9, 4, s))
	ok(t, api.MemcpyDtoDAsync(q, p, 64, s))
	ok(t, api.MemcpyDtoHAsync(h.Addr, q, 64, s))
	ok(t, api.StreamSynchronize(s))
	if n := testing.AllocsPerRun(100, func() { ok(t, api.MemcpyDtoHAsync(h.Addr, q, 64, s)) }); n != 0 {
		t.Errorf("a copy allocates %v times", n)
	}
	if w[0] != 0x01020304 || w[1] != 0x09090909 || w[15] != 0x01020304 {
		t.Errorf("got %#x", w)
	}
	w[3] = 77
	var back [16]uint32
	ok(t, api.MemcpyHtoDAsync(p, h.Addr, 64, s))
	ok(t, api.MemcpyDtoH(unsafe.Pointer(&back), p, 64))
	back[4] = 88
	ok(t, api.MemcpyHtoD(h.Dev, unsafe.Pointer(&back), 64))
	if back[3] != 77 || w[4] != 88 {
		t.Errorf("got %v and %v", back, w)
	}
	ok(t, api.MemFree(p))
	ok(t, api.MemFreeAsync(q, s))
	ok(t, api.HostFree(h))
}

func kernels(t *testing.T, api *driver.API, s driver.Stream) {
	if _, _, err := api.ModuleLoad([]byte("junk")); !driver.Is(err, driver.InvalidPTX) || !strings.Contains(err.Error(), "ptxas fatal : line 1") {
		t.Errorf("bad PTX: %v", err)
	}
	m, log, err := api.ModuleLoad([]byte("ptx"))
	ok(t, err)
	if log != "info : 0 bytes spilled" {
		t.Errorf("log %q", log)
	}
	if _, err := api.ModuleFunction(m, "absent"); !driver.Is(err, driver.NotFound) || !strings.Contains(err.Error(), "absent") {
		t.Errorf("absent kernel: %v", err)
	}
	f, err := api.ModuleFunction(m, "note")
	ok(t, err)
	if p, n, err := api.ModuleGlobal(m, "table"); err != nil || p != 1000 || n != 64 {
		t.Errorf("global at %d, %d bytes: %v", p, n, err)
	}
	if v, err := api.FunctionAttribute(driver.FuncRegisters, f); err != nil || v != 104 {
		t.Errorf("registers %d: %v", v, err)
	}
	ok(t, api.SetFunctionAttribute(f, driver.FuncMaxDynShared, 200<<10))
	p, err := api.MemAlloc(64)
	ok(t, err)
	var a driver.Args
	l := &driver.Launch{Function: f, Grid: driver.Dim3{X: 1, Y: 2, Z: 3}, Block: driver.Dim3{X: 4, Y: 5, Z: 6}, Shared: 7, Stream: s, Args: a.Ptr(p).U32(99).Bytes()}
	launch := func() { ok(t, api.Launch(l)) }
	if n := testing.AllocsPerRun(100, launch); n != 0 {
		t.Errorf("a launch allocates %v times", n)
	}
	var got [10]uint32
	ok(t, api.MemcpyDtoH(unsafe.Pointer(&got), p, 40))
	if want := [10]uint32{1, 2, 3, 4, 5, 6, 7, uint32(s), 12, 99}; got != want {
		t.Errorf("launched with %v, want %v", got, want)
	}
	ok(t, api.ModuleUnload(m))
}

// hostFuncs has functions called on threads of the stub, at once and as nodes of a graph.
func hostFuncs(t *testing.T, api *driver.API, s driver.Stream) {
	var here atomic.Int64
	add := api.HostFunc(func() { here.Add(1) })
	shift := api.HostFunc(func() { here.Store(100 * here.Load()) })
	ok(t, api.LaunchHostFunc(s, add))
	ok(t, api.LaunchHostFunc(s, shift))
	if n := here.Load(); n != 100 {
		t.Errorf("two calls left %d, want 100", n)
	}
	if n := testing.AllocsPerRun(100, func() { ok(t, api.LaunchHostFunc(s, add)) }); n != 0 || here.Load() != 201 {
		t.Errorf("101 calls left %d, want 201, and allocated %v times each", here.Load(), n)
	}
	here.Store(1)
	ok(t, api.BeginCapture(s))
	for _, f := range []driver.HostFunc{add, shift, add} {
		ok(t, api.LaunchHostFunc(s, f))
	}
	g, err := api.EndCapture(s)
	ok(t, err)
	x, err := api.GraphInstantiate(g)
	ok(t, err)
	if n := here.Load(); n != 1 {
		t.Errorf("a capture called functions: %d, want 1", n)
	}
	ok(t, api.GraphLaunch(x, s))
	ok(t, api.GraphLaunch(x, s))
	if n := here.Load(); n != 20201 {
		t.Errorf("two launches of a graph of three calls left %d, want 20201", n)
	}
	if err := api.LaunchHostFunc(99, add); !driver.Is(err, driver.InvalidHandle) {
		t.Errorf("on no stream: %v", err)
	}
}

func graphs(t *testing.T, api *driver.API, s driver.Stream) {
	e, err := api.EventCreate(true)
	ok(t, err)
	ok(t, api.EventRecord(e, s))
	ok(t, api.StreamWaitEvent(s, e))
	ok(t, api.EventSynchronize(e))
	if ms, err := api.EventElapsed(e, e); err != nil || ms != 1.5 {
		t.Errorf("%v ms, %v", ms, err)
	}
	ok(t, api.EventDestroy(e))
	p, err := api.MemAlloc(64)
	ok(t, err)
	var a driver.Args
	capture := func(n int) driver.Graph {
		ok(t, api.BeginCapture(s))
		for range n {
			ok(t, api.Launch(&driver.Launch{Function: 31, Grid: driver.Dim3{X: 1, Y: 1, Z: 1}, Block: driver.Dim3{X: 1, Y: 1, Z: 1}, Stream: s, Args: a.Reset().Ptr(p).Bytes()}))
		}
		g, err := api.EndCapture(s)
		ok(t, err)
		return g
	}
	g := capture(2)
	x, err := api.GraphInstantiate(g)
	ok(t, err)
	ok(t, api.GraphLaunch(x, s))
	if same, err := api.GraphExecUpdate(x, capture(2)); err != nil || !same {
		t.Errorf("the same graph: %v, %v", same, err)
	}
	if same, err := api.GraphExecUpdate(x, capture(3)); err != nil || same {
		t.Errorf("another graph: %v, %v", same, err)
	}
	ok(t, api.GraphDestroy(g))
	ok(t, api.GraphExecDestroy(x))
	tensorMap(t, api)
}

func tensorMap(t *testing.T, api *driver.API) {
	d := driver.Tiled{Type: driver.BF16, Rank: 2, Base: 256, Swizzle: driver.Swizzle128, L2: driver.L2Bytes128, NaNFill: true}
	d.Dims, d.Strides, d.Box, d.Steps = [5]uint64{512, 100}, [4]uint64{1024}, [5]uint32{64, 128}, [5]uint32{1, 1}
	var m driver.TensorMap
	ok(t, api.TensorMapEncodeTiled(&m, &d))
	var got []uint32
	for i := range 10 {
		got = append(got, binary.LittleEndian.Uint32(m[4*i:]))
	}
	if want := []uint32{9, 2, 256, 100, 1024, 128, 1, 3, 2, 1}; !slices.Equal(got, want) {
		t.Errorf("encoded %v, want %v", got, want)
	}
	d.Base = 8
	if err := api.TensorMapEncodeTiled(&m, &d); err == nil || !strings.Contains(err.Error(), "base 0x8") {
		t.Errorf("unaligned base: %v", err)
	}
}
