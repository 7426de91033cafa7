// Package fake is a driver without a device: it keeps memory on the host, records every call in words, and runs kernels that a
// test supplies as Go functions. It is deterministic, executes streams in the order of the calls, and treats misuse (unknown handles,
// copies out of bounds, synchronising while capturing) as the real driver would: with an error.
package fake

import (
	"fmt"
	"strings"
	"unsafe"

	"artel/kernels/cuda/driver"
)

// Driver is the state behind the API.
type Driver struct {
	// Calls are the calls so far, one line each: "cuLaunchKernel axpy grid 4,1,1 block 128,1,1 shared 0 stream 1 args 24".
	Calls []string
	// Kernel is asked to run a launch; nil runs nothing.
	Kernel func(name string, l *driver.Launch) error
	// Answers of the device; New sets those of a device of capability 9.0.
	Attributes map[driver.Attribute]int
	// Fail makes the named call (such as cuMemAlloc) fail with a code.
	Fail map[string]driver.Code

	handles uintptr
	next    driver.Ptr
	blocks  []*block
	names   map[driver.Function]string
	settled map[driver.Function]map[driver.FuncAttribute]int
	streams map[driver.Stream]*capture
	events  map[driver.Event]bool
	graphs  map[driver.Graph]*capture
	execs   map[driver.GraphExec]*capture
	modules map[driver.Module]bool
	host    *driver.HostFuncs
}

// block is one allocation.
type block struct {
	base driver.Ptr
	data []byte
	host unsafe.Pointer // of HostAlloc
}

// capture is recorded work; nil in streams that run at once.
type capture struct{ nodes []node }

type node struct {
	text string
	run  func() error
}

// New returns a driver with one device of compute capability 9.0.
func New() *Driver {
	return &Driver{
		Attributes: map[driver.Attribute]int{
			driver.ComputeCapabilityMajor: 9, driver.ComputeCapabilityMinor: 0, driver.Multiprocessors: 132, driver.WarpSize: 32,
			driver.MaxThreadsPerBlock: 1024, driver.MaxGridX: 1<<31 - 1, driver.MaxGridY: 65535, driver.SharedPerBlockOptin: 232448, driver.SharedPerMultiprocessor: 233472,
			driver.MemoryPoolsSupported: 1, driver.CanMapHostMemory: 1, driver.UnifiedAddressing: 1, driver.L2CacheSize: 50 << 20,
		},
		Fail: map[string]driver.Code{}, next: 0x7f0000000000,
		names: map[driver.Function]string{}, settled: map[driver.Function]map[driver.FuncAttribute]int{}, streams: map[driver.Stream]*capture{0: nil},
		events: map[driver.Event]bool{}, graphs: map[driver.Graph]*capture{}, execs: map[driver.GraphExec]*capture{}, modules: map[driver.Module]bool{}, host: &driver.HostFuncs{},
	}
}

// Count returns the number of recorded calls of a function, such as cuStreamSynchronize.
func (d *Driver) Count(call string) (n int) {
	for _, c := range d.Calls {
		if name, _, _ := strings.Cut(c, " "); name == call {
			n++
		}
	}
	return n
}

// Live returns the number of allocations that are not freed.
func (d *Driver) Live() int { return len(d.blocks) }

// call records a call and returns the failure that is asked for.
func (d *Driver) call(name, format string, args ...any) error {
	line := name
	if format != "" {
		line += " " + fmt.Sprintf(format, args...)
	}
	d.Calls = append(d.Calls, line)
	return driver.Check(name, int32(d.Fail[name]))
}

// queue runs work now, or keeps it when the stream captures.
func (d *Driver) queue(s driver.Stream, run func() error) error {
	c, ok := d.streams[s]
	if !ok {
		return d.refuse(driver.InvalidHandle, "stream %d", s)
	}
	if c == nil {
		return run()
	}
	c.nodes = append(c.nodes, node{d.Calls[len(d.Calls)-1], run})
	return nil
}

// idle refuses what may not happen while a stream captures.
func (d *Driver) idle() error {
	for s, c := range d.streams {
		if c != nil {
			return d.refuse(driver.CaptureUnsupported, "stream %d is capturing", s)
		}
	}
	return nil
}

// refuse is an error of the call recorded last.
func (d *Driver) refuse(c driver.Code, format string, args ...any) error {
	name, _, _ := strings.Cut(d.Calls[len(d.Calls)-1], " ")
	return &driver.Error{Call: name, Code: c, Log: fmt.Sprintf(format, args...)}
}

func (d *Driver) handle() uintptr {
	d.handles++
	return d.handles
}
