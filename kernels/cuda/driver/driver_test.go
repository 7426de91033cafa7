package driver_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/driver/fake"
)

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestArgs checks the layout against the C rules.
func TestArgs(t *testing.T) {
	var a driver.Args
	m := driver.TensorMap{9}
	b := a.Reset().U32(1).Ptr(2).F32(0.5).I32(-1).F64(1).U32(7).Map(&m).Bytes()
	if len(b) != 192 {
		t.Fatalf("got %d bytes, want 4+(4)+8+4+4+8+4 up to 64, and 128", len(b))
	}
	for off, want := range map[int]uint32{0: 1, 4: 0, 8: 2, 16: 0x3f000000, 20: 0xffffffff, 28: 0x3ff00000, 32: 7, 64: 9} {
		if got := binary.LittleEndian.Uint32(b[off:]); got != want {
			t.Errorf("offset %d: got %#x, want %#x", off, got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { a.Reset().U32(1).Ptr(2).Map(&m) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestErrors(t *testing.T) {
	if err := driver.Check("cuInit", 0); err != nil {
		t.Error(err)
	}
	err := fmt.Errorf("start: %w", driver.Check("cuMemAlloc", 2))
	if !driver.Is(err, driver.OutOfMemory) || driver.Is(err, driver.NotFound) || !strings.Contains(err.Error(), "cuMemAlloc: CUDA_ERROR_OUT_OF_MEMORY") {
		t.Error(err)
	}
	if s := driver.Code(12345).String(); s != "CUDA error 12345" {
		t.Error(s)
	}
}

func TestMissing(t *testing.T) {
	api := fake.New().API()
	ok(t, api.Complete())
	api.GraphLaunch, api.Launch = nil, nil
	if err := api.Complete(); err == nil || err.Error() != "driver fake lacks GraphLaunch, Launch" {
		t.Error(err)
	}
}

func TestTiledCheck(t *testing.T) {
	good := driver.Tiled{Type: driver.BF16, Rank: 2, Base: 256, Swizzle: driver.Swizzle128}
	good.Dims, good.Strides, good.Box, good.Steps = [5]uint64{512, 100}, [4]uint64{1024}, [5]uint32{64, 128}, [5]uint32{1, 1}
	ok(t, good.Check())
	for want, spoil := range map[string]func(*driver.Tiled){
		"element type": func(x *driver.Tiled) { x.Type = 99 },
		"rank":         func(x *driver.Tiled) { x.Rank = 6 },
		"base":         func(x *driver.Tiled) { x.Base = 8 },
		"dimension 1":  func(x *driver.Tiled) { x.Dims[1] = 0 },
		"box 1":        func(x *driver.Tiled) { x.Box[1] = 257 },
		"stride 1":     func(x *driver.Tiled) { x.Strides[0] = 1000 },
		"swizzle":      func(x *driver.Tiled) { x.Box[0] = 128 },
		"step 0":       func(x *driver.Tiled) { x.Steps[0] = 9 },
		"multiple of":  func(x *driver.Tiled) { x.Box[0] = 4 },
	} {
		x := good
		spoil(&x)
		if err := x.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestFake drives copies, kernels, streams and graphs through the recording driver.
func TestFake(t *testing.T) {
	d := fake.New()
	api := d.API()
	d.Kernel = func(name string, l *driver.Launch) error { // adds a number to words
		b, err := d.Bytes(driver.Ptr(binary.LittleEndian.Uint64(l.Args)), 4*int64(l.Block.X))
		for i := 0; i < len(b); i += 4 {
			binary.LittleEndian.PutUint32(b[i:], binary.LittleEndian.Uint32(b[i:])+binary.LittleEndian.Uint32(l.Args[8:]))
		}
		return err
	}
	ok(t, api.Init())
	s := must[driver.Stream](t)(api.StreamCreate())
	m, _, err := api.ModuleLoad([]byte("ptx"))
	ok(t, err)
	f := must[driver.Function](t)(api.ModuleFunction(m, "add"))
	p, h := must[driver.Ptr](t)(api.MemAlloc(16)), must[driver.Host](t)(api.HostAlloc(16))
	words := unsafe.Slice((*uint32)(h.Addr), 4)
	var a driver.Args
	add := func(v uint32) error {
		return api.Launch(&driver.Launch{Function: f, Grid: driver.Dim3{1, 1, 1}, Block: driver.Dim3{4, 1, 1}, Stream: s, Args: a.Reset().Ptr(p).U32(v).Bytes()})
	}
	work := func(v uint32) {
		ok(t, api.MemsetD32Async(p, 5, 4, s))
		ok(t, add(v))
		ok(t, api.MemcpyDtoHAsync(h.Addr, p, 16, s))
	}
	work(2)
	ok(t, api.StreamSynchronize(s))
	if words[3] != 7 {
		t.Fatalf("got %v, want 7", words)
	}
	graph := func(v uint32) driver.Graph {
		ok(t, api.BeginCapture(s))
		work(v)
		if err := api.StreamSynchronize(s); !driver.Is(err, driver.CaptureUnsupported) {
			t.Errorf("synchronising while capturing: %v", err)
		}
		return must[driver.Graph](t)(api.EndCapture(s))
	}
	x := must[driver.GraphExec](t)(api.GraphInstantiate(graph(10)))
	if words[3] != 7 {
		t.Error("capturing ran the work")
	}
	ok(t, api.GraphLaunch(x, s))
	if words[3] != 15 {
		t.Errorf("got %v, want 15", words)
	}
	if same := must[bool](t)(api.GraphExecUpdate(x, graph(20))); !same {
		t.Error("a graph of the same shape was refused")
	}
	ok(t, api.GraphLaunch(x, s))
	if words[0] != 25 {
		t.Errorf("got %v, want 25", words)
	}
	ok(t, api.BeginCapture(s))
	ok(t, add(1))
	if same := must[bool](t)(api.GraphExecUpdate(x, must[driver.Graph](t)(api.EndCapture(s)))); same {
		t.Error("a graph of another shape was taken")
	}
	if n := d.Count("cuLaunchKernel"); n != 4 {
		t.Errorf("%d launches recorded", n)
	}
	ok(t, api.MemFree(p))
	ok(t, api.HostFree(h))
	if d.Live() != 0 {
		t.Errorf("%d allocations left", d.Live())
	}
}

// TestFakeRefuses checks that misuse is refused as the driver refuses it.
func TestFakeRefuses(t *testing.T) {
	d := fake.New()
	api := d.API()
	m, _, err := api.ModuleLoad([]byte("ptx"))
	ok(t, err)
	f := must[driver.Function](t)(api.ModuleFunction(m, "k"))
	one := driver.Dim3{1, 1, 1}
	word := new(uint64)
	d.Fail["cuMemAlloc"] = driver.OutOfMemory
	_, full := api.MemAlloc(8)
	for name, c := range map[string]struct {
		err  error
		want driver.Code
	}{
		"grid":     {api.Launch(&driver.Launch{Function: f, Block: one}), driver.InvalidValue},
		"shared":   {api.Launch(&driver.Launch{Function: f, Grid: one, Block: one, Shared: 60 << 10}), driver.InvalidValue},
		"function": {api.Launch(&driver.Launch{Function: 99, Grid: one, Block: one}), driver.InvalidHandle},
		"free":     {api.MemFree(4), driver.InvalidValue},
		"pinned":   {api.MemcpyHtoDAsync(4, unsafe.Pointer(word), 8, 0), driver.InvalidValue},
		"bounds":   {api.MemcpyHtoD(4, unsafe.Pointer(word), 8), driver.InvalidValue},
		"image":    {func() error { _, _, err := api.ModuleLoad(nil); return err }(), driver.InvalidImage},
		"memory":   {full, driver.OutOfMemory},
		"event":    {api.StreamWaitEvent(0, 77), driver.InvalidHandle},
	} {
		if !driver.Is(c.err, c.want) {
			t.Errorf("%s: got %v, want %v", name, c.err, c.want)
		}
	}
	ok(t, api.SetFunctionAttribute(f, driver.FuncMaxDynShared, 60<<10))
	ok(t, api.Launch(&driver.Launch{Function: f, Grid: one, Block: one, Shared: 60 << 10}))
}
