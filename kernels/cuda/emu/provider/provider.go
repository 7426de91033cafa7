// Package provider makes the emulator a driver: the calls of kernels/cuda/driver on an emu.Device.
//
// Work runs when it is queued, in the order of the calls, so streams add no concurrency; a graph's work runs when the graph is launched. A fault of a kernel is the error of the
// Launch that caused it (or of the launch of its graph) and holds the *emu.Fault; synchronising calls return the first of them again, as the driver does.
// After Defer work runs as late as the calls allow instead: a host that reads results or reuses buffers without waiting gets wrong numbers, and faults come with the next synchronising call.
package provider

import (
	"fmt"
	"sync"
	"unsafe"

	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/emu"
)

// Driver is an emulated device with the driver's handles.
type Driver struct {
	mu     sync.Mutex
	dev    *emu.Device
	opts   emu.Options
	next   uintptr
	mods   map[driver.Module]*module
	funcs  map[driver.Function]*function
	hosts  map[unsafe.Pointer]emu.Ptr
	tapes  map[driver.Stream]*tape // streams that record
	stream map[driver.Stream]bool
	events map[driver.Event]float64 // milliseconds when recorded
	host   driver.HostFuncs
	graphs map[driver.Graph]*tape
	execs  map[driver.GraphExec]*tape
	clock  float64 // milliseconds of emulated time
	sticky error
	late   bool // work waits for the next synchronising call
	waits  []op
	counts map[[2]string]*Kernel // by file and name
	order  []*Kernel
}

type module struct {
	mod   *emu.Module
	funcs []driver.Function
}

type function struct {
	fn     *emu.Function
	shared int // largest dynamic shared memory that was asked for
}

// Kernel is what the launches of one kernel did.
type Kernel struct {
	File     string // that its module says it was made of, such as "linear.cu"
	Name     string
	Launches int
	Threads  int // of a block, in the last launch
	Shared   int // bytes of a block, static and dynamic, in the last launch
	Counters emu.Counters
}

// New makes a driver for one device.
func New(opts emu.Options) *Driver {
	return &Driver{dev: emu.New(opts), opts: opts, mods: map[driver.Module]*module{}, funcs: map[driver.Function]*function{},
		hosts: map[unsafe.Pointer]emu.Ptr{}, tapes: map[driver.Stream]*tape{}, stream: map[driver.Stream]bool{}, events: map[driver.Event]float64{},
		graphs: map[driver.Graph]*tape{}, execs: map[driver.GraphExec]*tape{}, counts: map[[2]string]*Kernel{}}
}

// Device returns the emulated device.
func (d *Driver) Device() *emu.Device { return d.dev }

// Kernels returns what each kernel did so far, in the order of their first launches.
func (d *Driver) Kernels() []Kernel {
	d.mu.Lock()
	defer d.mu.Unlock()
	_ = d.flush() // the error stays for the next synchronising call
	var out []Kernel
	for _, k := range d.order {
		out = append(out, *k)
	}
	return out
}

// API returns the calls. They may be used from several goroutines; one runs at a time.
func (d *Driver) API() *driver.API {
	return &driver.API{
		Name:     "emu",
		Init:     func() error { return nil },
		Version:  func() (int, error) { return 13000, nil },
		Devices:  d.devices(),
		Contexts: d.contexts(),
		Modules:  d.modules(),
		Memory:   d.memory(),
		Streams:  d.streams(),
		Graphs:   d.recorded(),
		Launch:   d.launch,
		TensorMapEncodeTiled: func(m *driver.TensorMap, t *driver.Tiled) error {
			if err := t.Check(); err != nil {
				return fail("cuTensorMapEncodeTiled", driver.InvalidValue, "%v", err)
			}
			*m = emu.EncodeTiled(t)
			return nil
		},
	}
}

func (d *Driver) handle() uintptr {
	d.next++
	return d.next
}

func fail(call string, code driver.Code, format string, args ...any) error {
	return &driver.Error{Call: call, Code: code, Log: fmt.Sprintf(format, args...)}
}

// faultError is a fault with the driver's code for it.
type faultError struct {
	call  driver.Error
	fault error
}

// Error is the driver's error, which holds the fault's text.
func (e *faultError) Error() string { return e.call.Error() }

// Unwrap gives both: the driver's error and the emulator's.
func (e *faultError) Unwrap() []error { return []error{&e.call, e.fault} }

func faulted(call string, err error) error {
	code := driver.LaunchFailed
	if f, ok := err.(*emu.Fault); ok {
		switch f.Kind {
		case emu.OutOfBounds, emu.UseAfterFree, emu.ReadOnlyWrite:
			code = driver.IllegalAddress
		case emu.Misaligned:
			code = driver.MisalignedAddress
		case emu.EndlessLoop, emu.Deadlock:
			code = driver.LaunchTimeout
		}
	} else {
		code = driver.InvalidValue
	}
	return &faultError{driver.Error{Call: call, Code: code, Log: err.Error()}, err}
}

func (d *Driver) devices() driver.Devices {
	only := func(call string, dev driver.Device) error {
		if dev != 0 {
			return fail(call, driver.InvalidDevice, "device %d, want 0", dev)
		}
		return nil
	}
	capability := d.dev.Capability()
	values := map[driver.Attribute]int{
		driver.MaxThreadsPerBlock: 1024, driver.MaxGridX: 1<<31 - 1, driver.MaxGridY: 65535, driver.WarpSize: 32, driver.ClockRate: 1_000_000,
		driver.Multiprocessors: 132, driver.CanMapHostMemory: 1, driver.ComputeMode: 0, driver.MemoryClockRate: 1_000_000, driver.MemoryBusWidth: 5120, driver.L2CacheSize: 50 << 20,
		driver.ThreadsPerMultiproc: 2048, driver.UnifiedAddressing: 1, driver.ComputeCapabilityMajor: capability / 10, driver.ComputeCapabilityMinor: capability % 10,
		driver.SharedPerMultiprocessor: d.dev.SharedLimit() + 1024, driver.SharedPerBlockOptin: d.dev.SharedLimit(), driver.MemoryPoolsSupported: 1,
	}
	if capability < 90 {
		values[driver.Multiprocessors] = 108
	}
	return driver.Devices{
		DeviceCount: func() (int, error) { return 1, nil },
		DeviceName: func(dev driver.Device) (string, error) {
			return fmt.Sprintf("emulator of compute capability %d.%d", capability/10, capability%10), only("cuDeviceGetName", dev)
		},
		DeviceUUID: func(dev driver.Device) ([16]byte, error) {
			return [16]byte{'e', 'm', 'u'}, only("cuDeviceGetUuid", dev)
		},
		DeviceAttribute: func(a driver.Attribute, dev driver.Device) (int, error) {
			v, ok := values[a]
			if !ok {
				return 0, fail("cuDeviceGetAttribute", driver.InvalidValue, "attribute %d is not known", a)
			}
			return v, only("cuDeviceGetAttribute", dev)
		},
		DeviceTotalMem: func(dev driver.Device) (int64, error) { return d.dev.Total(), only("cuDeviceTotalMem", dev) },
	}
}

func (d *Driver) contexts() driver.Contexts {
	return driver.Contexts{
		PrimaryRetain:  func(driver.Device) (driver.Context, error) { return 1, nil },
		PrimaryRelease: func(driver.Device) error { return nil },
		SetCurrent:     func(driver.Context) error { return nil },
		Synchronize:    d.synchronize,
		MemGetInfo:     func() (int64, int64, error) { return d.dev.Total() - d.dev.Used(), d.dev.Total(), nil },
	}
}

// synchronize returns the first fault so far.
func (d *Driver) synchronize() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.flush()
}

// Defer makes queued work wait until a call synchronises.
func (d *Driver) Defer() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.late = true
}

// flush runs the work that waits and returns the first error so far.
func (d *Driver) flush() error {
	waits := d.waits
	d.waits = nil
	for _, o := range waits {
		if d.sticky != nil {
			break
		}
		if err := o.run(); err != nil && d.sticky == nil {
			d.sticky = err
		}
	}
	return d.sticky
}
