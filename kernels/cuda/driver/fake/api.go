package fake

import (
	"bytes"
	"slices"

	"artel/kernels/cuda/driver"
)

// API returns the calls.
func (d *Driver) API() *driver.API {
	return &driver.API{
		Name:    "fake",
		Init:    func() error { return d.call("cuInit", "") },
		Version: func() (int, error) { return 13000, d.call("cuDriverGetVersion", "") },
		Devices: driver.Devices{
			DeviceCount: func() (int, error) { return 1, d.call("cuDeviceGetCount", "") },
			DeviceName:  func(driver.Device) (string, error) { return "Fake H100", d.call("cuDeviceGetName", "") },
			DeviceUUID:  func(driver.Device) ([16]byte, error) { return [16]byte{1}, d.call("cuDeviceGetUuid", "") },
			DeviceAttribute: func(a driver.Attribute, _ driver.Device) (int, error) {
				return d.Attributes[a], d.call("cuDeviceGetAttribute", "%d", a)
			},
			DeviceTotalMem: func(driver.Device) (int64, error) { return 80 << 30, d.call("cuDeviceTotalMem", "") },
		},
		Contexts: driver.Contexts{
			PrimaryRetain:  func(driver.Device) (driver.Context, error) { return 1, d.call("cuDevicePrimaryCtxRetain", "") },
			PrimaryRelease: func(driver.Device) error { return d.call("cuDevicePrimaryCtxRelease", "") },
			SetCurrent:     func(driver.Context) error { return d.call("cuCtxSetCurrent", "") },
			Synchronize: func() error {
				if err := d.call("cuCtxSynchronize", ""); err != nil {
					return err
				}
				return d.idle()
			},
			MemGetInfo: func() (int64, int64, error) { return 79 << 30, 80 << 30, d.call("cuMemGetInfo", "") },
		},
		Modules: d.code(),
		Memory:  d.memory(),
		Streams: d.queues(),
		Graphs:  d.recorded(),
		Launch:  d.launch,
		TensorMapEncodeTiled: func(m *driver.TensorMap, t *driver.Tiled) error {
			if err := d.call("cuTensorMapEncodeTiled", "rank %d", t.Rank); err != nil {
				return err
			}
			if err := t.Check(); err != nil {
				return d.refuse(driver.InvalidValue, "%v", err)
			}
			m[0] = byte(t.Rank)
			return nil
		},
	}
}

func (d *Driver) code() driver.Modules {
	return driver.Modules{
		ModuleLoad: func(image []byte) (driver.Module, string, error) {
			if err := d.call("cuModuleLoadDataEx", "%d", len(image)); err != nil {
				return 0, "", err
			}
			if len(image) == 0 {
				return 0, "", d.refuse(driver.InvalidImage, "empty image")
			}
			m := driver.Module(d.handle())
			d.modules[m] = true
			return m, "", nil
		},
		ModuleUnload: func(m driver.Module) error {
			if err := d.call("cuModuleUnload", ""); err != nil {
				return err
			}
			if !d.modules[m] {
				return d.refuse(driver.InvalidHandle, "module %d", m)
			}
			delete(d.modules, m)
			return nil
		},
		ModuleFunction: func(m driver.Module, name string) (driver.Function, error) {
			if err := d.call("cuModuleGetFunction", "%s", name); err != nil {
				return 0, err
			}
			if !d.modules[m] {
				return 0, d.refuse(driver.InvalidHandle, "module %d", m)
			}
			f := driver.Function(d.handle())
			d.names[f], d.settled[f] = name, map[driver.FuncAttribute]int{driver.FuncMaxThreads: 1024, driver.FuncRegisters: 64}
			return f, nil
		},
		ModuleGlobal: func(_ driver.Module, name string) (driver.Ptr, int64, error) {
			if err := d.call("cuModuleGetGlobal", "%s", name); err != nil {
				return 0, 0, err
			}
			return 0, 0, d.refuse(driver.NotFound, "global %s", name)
		},
		FunctionAttribute: func(a driver.FuncAttribute, f driver.Function) (int, error) {
			return d.settled[f][a], d.call("cuFuncGetAttribute", "%s %d", d.names[f], a)
		},
		SetFunctionAttribute: func(f driver.Function, a driver.FuncAttribute, v int) error {
			if err := d.call("cuFuncSetAttribute", "%s %d %d", d.names[f], a, v); err != nil {
				return err
			}
			if d.settled[f] == nil {
				return d.refuse(driver.InvalidHandle, "function %d", f)
			}
			d.settled[f][a] = v
			return nil
		},
	}
}

// launch records a launch and hands a copy to Kernel: captured work runs later.
func (d *Driver) launch(l *driver.Launch) error {
	name, ok := d.names[l.Function]
	err := d.call("cuLaunchKernel", "%s grid %d,%d,%d block %d,%d,%d shared %d stream %d args %d",
		name, l.Grid.X, l.Grid.Y, l.Grid.Z, l.Block.X, l.Block.Y, l.Block.Z, l.Shared, l.Stream, len(l.Args))
	if err != nil {
		return err
	}
	threads := uint64(l.Block.X) * uint64(l.Block.Y) * uint64(l.Block.Z)
	switch shared := uint32(48 << 10); {
	case !ok:
		return d.refuse(driver.InvalidHandle, "function %d", l.Function)
	case l.Grid.X == 0 || l.Grid.Y == 0 || l.Grid.Z == 0 || threads == 0 || threads > 1024 || l.Grid.Y > 65535 || l.Grid.Z > 65535:
		return d.refuse(driver.InvalidValue, "grid %v of blocks %v", l.Grid, l.Block)
	case l.Shared > max(shared, uint32(d.settled[l.Function][driver.FuncMaxDynShared])):
		return d.refuse(driver.InvalidValue, "%s: %d bytes of shared memory without the attribute", name, l.Shared)
	}
	kept := *l
	kept.Args = slices.Clone(l.Args)
	return d.queue(l.Stream, func() error {
		if d.Kernel == nil {
			return nil
		}
		k := kept
		k.Args = bytes.Clone(kept.Args)
		return d.Kernel(name, &k)
	})
}
