package cuda

import (
	"io/fs"
	"runtime"
	"sync"

	"artel/dtype"
	"artel/kernels/cuda/driver"
	"artel/tensor"

	"github.com/pkg/errors"
)

// LowestCapability is the oldest compute capability that the kernels run on.
const LowestCapability driver.Capability = 80

// device is an open one. Its methods may be called from any goroutine, one at a time.
type device struct {
	api        *driver.API
	id         driver.Device
	name       string
	products   dtype.Type // BF16 or F32: what operands of products are rounded to
	capability driver.Capability
	units      int // multiprocessors
	sharedMax  int // bytes of shared memory that a block can ask for
	ctx        driver.Context
	stream     driver.Stream
	code       fs.FS
	modules    map[string]driver.Module
	kernels    map[[2]string]*kernel
	args       driver.Args
	thread     int // the last one that the context was bound to
	err        error
	notes      []string // what the compiler said of modules
	blocks     []driver.Ptr
	hosts      []driver.Host
	staging    staging
	tickets    tickets
	graphs     graphs
	calls      calls
	wgmma      warpgroups
	scratch    driver.Ptr // of ops that need partial results
	room       int64      // bytes of scratch

	mu      sync.Mutex
	retired []driver.Ptr // memory that nothing describes any more, not yet freed
	unused  []driver.Host
}

// open prepares a device of an initialised driver.
func open(api *driver.API, id driver.Device, code fs.FS) (d *device, err error) {
	if err := api.Complete(); err != nil {
		return nil, err
	}
	d = &device{api: api, id: id, code: code, modules: map[string]driver.Module{}, kernels: map[[2]string]*kernel{}, wgmma: newWarpgroups()}
	d.graphs = graphs{on: useGraphs(), known: map[uint64]driver.GraphExec{}}
	if d.name, err = api.DeviceName(id); err != nil {
		return nil, err
	}
	if d.capability, err = api.CapabilityOf(id); err != nil {
		return nil, err
	}
	if d.capability < LowestCapability {
		return nil, errors.Errorf("%s has compute capability %v; the kernels need %v (A100) or later", d.name, d.capability, LowestCapability)
	}
	if d.units, err = api.DeviceAttribute(driver.Multiprocessors, id); err != nil {
		return nil, err
	}
	if d.sharedMax, err = api.DeviceAttribute(driver.SharedPerBlockOptin, id); err != nil {
		return nil, err
	}
	if d.ctx, err = api.PrimaryRetain(id); err != nil {
		return nil, err
	}
	defer d.enter()()
	if d.err != nil {
		return nil, d.take()
	}
	if d.stream, err = api.StreamCreate(); err != nil {
		return nil, err
	}
	d.calls.host = api.HostFunc(d.calls.next)
	for i := range d.tickets.events {
		if d.tickets.events[i], err = api.EventCreate(false); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// enter binds the context to the calling thread and keeps the goroutine on it until the result is called. Contexts belong to threads, goroutines do not.
func (d *device) enter() (leave func()) {
	runtime.LockOSThread()
	if t := threadID(); t != d.thread || t == 0 {
		d.thread = t
		d.fail(d.api.SetCurrent(d.ctx))
	}
	return runtime.UnlockOSThread
}

// fail keeps the first error.
func (d *device) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// take returns the kept error and forgets it.
func (d *device) take() error {
	err := d.err
	d.err = nil
	return err
}

// sync waits for the stream.
func (d *device) sync() error {
	defer d.enter()()
	d.flush()
	d.idle()
	d.reclaim()
	return d.take()
}

// close gives everything back.
func (d *device) close() error {
	defer d.enter()()
	d.flush()
	d.idle()
	for _, e := range d.tickets.events {
		d.fail(d.api.EventDestroy(e))
	}
	for _, x := range d.graphs.known {
		d.fail(d.api.GraphExecDestroy(x))
	}
	for _, m := range d.modules {
		d.fail(d.api.ModuleUnload(m))
	}
	for _, p := range d.blocks {
		d.fail(d.api.MemFree(p))
	}
	for _, h := range d.hosts {
		d.fail(d.api.HostFree(h))
	}
	d.fail(d.api.StreamDestroy(d.stream))
	d.fail(d.api.PrimaryRelease(d.id))
	d.blocks, d.hosts = nil, nil
	return d.take()
}

// at is the device address of the first element of t, 0 for no tensor.
func at(t tensor.Tensor) driver.Ptr {
	if !t.Ok() {
		return 0
	}
	return driver.Ptr(t.Storage().Address() + uint64(t.Offset()*t.Type.Size()))
}
