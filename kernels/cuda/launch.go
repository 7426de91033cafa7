package cuda

import (
	"io/fs"
	"strings"

	"artel/kernels/cuda/driver"

	"github.com/pkg/errors"
)

// kernel is a loaded one.
type kernel struct {
	name   string
	fn     driver.Function
	shared int // dynamic shared memory that it may ask for so far
	launch driver.Launch
}

// defaultShared is the dynamic shared memory that needs no attribute.
const defaultShared = 48 << 10

// kernel returns a kernel of a module, which is loaded at first use; nil after an error, which Sync returns.
func (d *device) kernel(module, name string) *kernel {
	key := [2]string{module, name}
	if k := d.kernels[key]; k != nil {
		return k
	}
	defer d.enter()()
	d.flush()
	m, err := d.module(module)
	if err != nil {
		d.fail(err)
		return nil
	}
	fn, err := d.api.ModuleFunction(m, name)
	if err != nil {
		d.fail(errors.Wrapf(err, "cuda: module %s", module))
		return nil
	}
	k := &kernel{name: name, fn: fn, shared: defaultShared}
	d.kernels[key] = k
	return k
}

// module loads the code of a module for the device.
func (d *device) module(name string) (driver.Module, error) {
	if m, ok := d.modules[name]; ok {
		return m, nil
	}
	file, image, err := d.image(name)
	if err != nil {
		return 0, err
	}
	m, log, err := d.api.ModuleLoad(image)
	if log = strings.TrimSpace(log); err == nil && log != "" {
		d.notes = append(d.notes, file+": "+log)
	}
	if err != nil {
		return 0, errors.Wrapf(err, "cuda: %s on %s (compute capability %v)", file, d.name, d.capability)
	}
	d.modules[name] = m
	return m, nil
}

// image reads the best code that the device runs.
func (d *device) image(name string) (file string, image []byte, err error) {
	if d.capability == 90 { // sm_90a code runs on 9.0 and nowhere else
		file = name + ".sm_90a.ptx"
		if image, err = fs.ReadFile(d.code, file); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return file, image, err
		}
	}
	file = name + ".sm_80.ptx"
	image, err = fs.ReadFile(d.code, file)
	return file, image, err
}

// fresh empties the parameter buffer; the kernels' parameters are added to it before run.
func (d *device) fresh() *driver.Args { return d.args.Reset() }

// run queues a kernel with the parameters in the buffer. An empty grid queues nothing.
func (d *device) run(k *kernel, grid, block driver.Dim3, shared int) {
	if k == nil || grid.X == 0 || grid.Y == 0 || grid.Z == 0 {
		return
	}
	defer d.enter()()
	if shared > k.shared {
		if shared > d.sharedMax {
			d.fail(errors.Errorf("cuda: kernel %s: %d bytes of shared memory, %s has %d per block", k.name, shared, d.name, d.sharedMax))
			return
		}
		if err := d.api.SetFunctionAttribute(k.fn, driver.FuncMaxDynShared, shared); err != nil {
			d.fail(errors.Wrapf(err, "cuda: kernel %s", k.name))
			return
		}
		k.shared = shared
	}
	d.record(uint64(k.fn))
	k.launch = driver.Launch{Function: k.fn, Grid: grid, Block: block, Shared: uint32(shared), Stream: d.stream, Args: d.args.Bytes()}
	if err := d.api.Launch(&k.launch); err != nil {
		d.fail(errors.Wrapf(err, "cuda: kernel %s, grid %v of blocks %v", k.name, grid, block))
	}
}

// told returns what the compiler said since the last call.
func (d *device) told() []string {
	out := d.notes
	d.notes = nil
	return out
}
