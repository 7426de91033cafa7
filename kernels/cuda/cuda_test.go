package cuda

import (
	"encoding/binary"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/driver/fake"
	"artel/tensor"
)

func fakeDevice(t *testing.T, f *fake.Driver, code fstest.MapFS) *device {
	t.Helper()
	d, err := open(f.API(), 0, code)
	if err != nil {
		t.Fatal(err)
	}
	d.graphs.on = false // kernels run at once
	return d
}

// run1 is run for a grid of one dimension that covers n threads in blocks of block; kernels stride over what is beyond the largest grid.
func (d *device) run1(k *kernel, n, block int) {
	blocks := min((n+block-1)/block, d.units*32)
	d.run(k, driver.Dim3{X: uint32(blocks), Y: 1, Z: 1}, driver.Dim3{X: uint32(block), Y: 1, Z: 1}, 0)
}

func image(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

// TestDispatch checks which code a device gets, and that an old device is refused by name.
func TestDispatch(t *testing.T) {
	code := fstest.MapFS{"a.sm_80.ptx": image("80"), "a.sm_90a.ptx": image("90a"), "b.sm_80.ptx": image("80")}
	for _, c := range []struct {
		major, minor int
		module, want string
	}{{8, 0, "a", "a.sm_80.ptx"}, {8, 9, "a", "a.sm_80.ptx"}, {9, 0, "a", "a.sm_90a.ptx"}, {9, 0, "b", "b.sm_80.ptx"}, {10, 0, "a", "a.sm_80.ptx"}} {
		f := fake.New()
		f.Attributes[driver.ComputeCapabilityMajor], f.Attributes[driver.ComputeCapabilityMinor] = c.major, c.minor
		d := fakeDevice(t, f, code)
		if file, _, err := d.image(c.module); file != c.want || err != nil {
			t.Errorf("%d.%d, module %s: got %s, %v; want %s", c.major, c.minor, c.module, file, err, c.want)
		}
	}
	f := fake.New()
	f.Attributes[driver.ComputeCapabilityMajor] = 7
	if _, err := open(f.API(), 0, code); err == nil || !strings.Contains(err.Error(), "compute capability 7.0; the kernels need 8.0") {
		t.Errorf("7.0: %v", err)
	}
	if _, _, err := Open("cuda:x", dtype.F32); err == nil || !strings.Contains(err.Error(), `"cuda:x"`) {
		t.Errorf("cuda:x: %v", err)
	}
	if _, _, err := OpenOn(fake.New().API(), 3, dtype.F32); err == nil || !strings.Contains(err.Error(), "device 3: there are 1") {
		t.Errorf("device 3: %v", err)
	}
}

// TestLaunch checks geometry, parameters, the attribute for large shared memory, module caching, and that a launch allocates nothing.
func TestLaunch(t *testing.T) {
	f := fake.New()
	d := fakeDevice(t, f, fstest.MapFS{"m.sm_80.ptx": image("x")})
	var got []byte
	f.Kernel = func(name string, l *driver.Launch) error {
		got = l.Args
		return nil
	}
	k := d.kernel("m", "f")
	if k != d.kernel("m", "f") || f.Count("cuModuleLoadDataEx") != 1 {
		t.Error("the module or the kernel is loaded twice")
	}
	d.fresh().U32(7).Ptr(9)
	d.run1(k, 1000, 256)
	if want := "cuLaunchKernel f grid 4,1,1 block 256,1,1 shared 0 stream 1 args 16"; f.Calls[len(f.Calls)-1] != want {
		t.Errorf("got %s, want %s", f.Calls[len(f.Calls)-1], want)
	}
	if binary.LittleEndian.Uint64(got[8:]) != 9 {
		t.Errorf("parameters %v", got)
	}
	one := driver.Dim3{X: 1, Y: 1, Z: 1}
	d.run(k, one, one, 100<<10)
	d.run(k, one, one, 90<<10)
	if n := f.Count("cuFuncSetAttribute"); n != 1 {
		t.Errorf("the attribute is set %d times, want once", n)
	}
	d.run(k, driver.Dim3{X: 0, Y: 1, Z: 1}, one, 0)
	if n := f.Count("cuLaunchKernel"); n != 3 {
		t.Errorf("%d launches, want 3: an empty grid is none", n)
	}
	if err := d.sync(); err != nil {
		t.Error(err)
	}
	d.run(k, one, one, 300<<10)
	if err := d.sync(); err == nil || !strings.Contains(err.Error(), "kernel f: 307200 bytes") {
		t.Errorf("too much shared memory: %v", err)
	}
	if err := d.sync(); err != nil {
		t.Errorf("the error came twice: %v", err)
	}
	d.kernel("nothing", "f")
	if err := d.sync(); err == nil || !strings.Contains(err.Error(), "nothing.sm_80.ptx") {
		t.Errorf("missing module: %v", err)
	}
	api := *d.api
	api.Launch = func(*driver.Launch) error { return nil } // the fake's record allocates
	d.api = &api
	if n := testing.AllocsPerRun(50, func() {
		d.fresh().U32(7).Ptr(9)
		d.run1(k, 1000, 256)
	}); n != 0 {
		t.Errorf("a launch allocates %v times", n)
	}
}

// TestTransfers copies to the device and back with every mix of types, strides and sizes above the staging buffer.
func TestTransfers(t *testing.T) {
	f := fake.New()
	d := fakeDevice(t, f, nil)
	be := d.backend(dtype.F32)
	n := stagingBytes/4 + 1000
	src, back := tensor.New(dtype.F64, n), tensor.New(dtype.F64, n)
	for i := range src.F64() {
		src.F64()[i] = float64(i % 1000)
	}
	dev := be.New(dtype.F32, n)
	be.Copy(kernels.Copy{Dst: dev, Src: src})
	be.Copy(kernels.Copy{Dst: back, Src: dev})
	if !slices.Equal(src.F64(), back.F64()) {
		t.Error("a long vector came back changed")
	}
	x, y := tensor.FromF32([]float32{1, 2, 3, 4, 5, 6}, 2, 3), tensor.New(dtype.F32, 3, 2)
	m := be.New(dtype.F32, 3, 2)
	be.Copy(kernels.Copy{Dst: m, Src: x.T()})
	be.Copy(kernels.Copy{Dst: y, Src: m})
	if want := []float32{1, 4, 2, 5, 3, 6}; !slices.Equal(y.F32(), want) {
		t.Errorf("transposed: got %v, want %v", y.F32(), want)
	}
	z := tensor.New(dtype.F32, 2, 3)
	be.Copy(kernels.Copy{Dst: z.T(), Src: m})
	if !slices.Equal(z.F32(), x.F32()) {
		t.Errorf("and back: got %v", z.F32())
	}
	s := be.NewShared(dtype.I32, 4)
	s.I32()[2] = 42
	b, err := f.Bytes(at(s), 16)
	if err != nil || binary.LittleEndian.Uint32(b[8:]) != 42 {
		t.Errorf("shared memory: %v, %v", b, err)
	}
	if err := be.Sync(); err != nil {
		t.Error(err)
	}
}

// TestMemory checks that memory which nothing describes any more is freed, and the rest at the end.
func TestMemory(t *testing.T) {
	f := fake.New()
	d := fakeDevice(t, f, nil)
	be := d.backend(dtype.F32)
	kept := be.New(dtype.F32, 10)
	func() { be.New(dtype.F32, 1000); be.NewShared(dtype.I32, 1000) }()
	for i := 0; f.Live() > 1 && i < 200; i++ {
		runtime.GC()
		time.Sleep(time.Millisecond)
		if err := be.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	if f.Live() != 1 {
		t.Errorf("%d allocations live, want 1", f.Live())
	}
	runtime.KeepAlive(kept)
	if err := d.close(); err != nil || f.Live() != 0 {
		t.Errorf("after closing %d allocations live: %v", f.Live(), err)
	}
}
