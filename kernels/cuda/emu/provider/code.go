package provider

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/emu"
)

func (d *Driver) modules() driver.Modules {
	return driver.Modules{
		ModuleLoad:     d.load,
		ModuleUnload:   d.unload,
		ModuleFunction: d.function,
		ModuleGlobal: func(m driver.Module, name string) (driver.Ptr, int64, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			mod := d.mods[m]
			if mod == nil {
				return 0, 0, fail("cuModuleGetGlobal", driver.InvalidHandle, "module %d", m)
			}
			p, n, err := mod.mod.Global(name)
			if err != nil {
				return 0, 0, fail("cuModuleGetGlobal", driver.NotFound, "%v", err)
			}
			return driver.Ptr(p), n, nil
		},
		FunctionAttribute:    d.attribute,
		SetFunctionAttribute: d.setAttribute,
	}
}

// load reads PTX text; a NUL at its end is dropped.
func (d *Driver) load(image []byte) (driver.Module, string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := driver.Module(d.handle())
	text := []byte(strings.TrimRight(string(image), "\x00"))
	m, err := d.dev.LoadModule(moduleName(text, uintptr(h)), text)
	if err != nil {
		return 0, err.Error(), &faultError{driver.Error{Call: "cuModuleLoadDataEx", Code: driver.InvalidPTX, Log: err.Error()}, err}
	}
	d.mods[h] = &module{mod: m}
	return h, "", nil
}

// moduleName is what errors call a module: the name after "// source:" in its first lines, or a number.
func moduleName(text []byte, n uintptr) string {
	head := string(text[:min(len(text), 2000)])
	for line := range strings.Lines(head) {
		if _, name, ok := strings.Cut(line, "// source:"); ok {
			if f := strings.Fields(name); len(f) > 0 {
				return f[0]
			}
		}
	}
	return "module" + strconv.FormatUint(uint64(n), 10) + ".ptx"
}

func (d *Driver) unload(m driver.Module) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	mod := d.mods[m]
	if mod == nil {
		return fail("cuModuleUnload", driver.InvalidHandle, "module %d", m)
	}
	_ = d.flush()
	for _, f := range mod.funcs {
		delete(d.funcs, f)
	}
	delete(d.mods, m)
	return mod.mod.Unload()
}

func (d *Driver) function(m driver.Module, name string) (driver.Function, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	mod := d.mods[m]
	if mod == nil {
		return 0, fail("cuModuleGetFunction", driver.InvalidHandle, "module %d", m)
	}
	f, err := mod.mod.Function(name)
	if err != nil {
		return 0, fail("cuModuleGetFunction", driver.NotFound, "%v", err)
	}
	h := driver.Function(d.handle())
	d.funcs[h] = &function{fn: f, shared: 48<<10 - f.StaticShared()}
	mod.funcs = append(mod.funcs, h)
	return h, nil
}

func (d *Driver) attribute(a driver.FuncAttribute, h driver.Function) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.funcs[h]
	if f == nil {
		return 0, fail("cuFuncGetAttribute", driver.InvalidHandle, "function %d", h)
	}
	switch a {
	case driver.FuncMaxThreads:
		return f.fn.MaxThreads(), nil
	case driver.FuncStaticShared:
		return f.fn.StaticShared(), nil
	case driver.FuncMaxDynShared:
		return f.shared, nil
	case driver.FuncLocal:
		return f.fn.LocalSize(), nil
	case driver.FuncPTXVersion, driver.FuncBinaryVersion:
		return d.dev.Capability(), nil
	case driver.FuncConst, driver.FuncRegisters, driver.FuncSharedCarveout:
		// PTX has virtual registers only: their number after allocation is the assembler's to say.
		return 0, nil
	}
	return 0, fail("cuFuncGetAttribute", driver.InvalidValue, "attribute %d is not known", a)
}

func (d *Driver) setAttribute(h driver.Function, a driver.FuncAttribute, v int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.funcs[h]
	if f == nil {
		return fail("cuFuncSetAttribute", driver.InvalidHandle, "function %d", h)
	}
	switch a {
	case driver.FuncMaxDynShared:
		if limit := d.dev.SharedLimit() - f.fn.StaticShared(); v < 0 || v > limit {
			return fail("cuFuncSetAttribute", driver.InvalidValue, "%d bytes of dynamic shared memory for %s, want at most %d", v, f.fn.Name(), limit)
		}
		f.shared = v
	case driver.FuncSharedCarveout:
	default:
		return fail("cuFuncSetAttribute", driver.InvalidValue, "attribute %d cannot be set", a)
	}
	return nil
}

// launch runs or records a kernel.
func (d *Driver) launch(l *driver.Launch) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.funcs[l.Function]
	if f == nil {
		return fail("cuLaunchKernel", driver.InvalidHandle, "function %d", l.Function)
	}
	if int(l.Shared) > f.shared {
		return fail("cuLaunchKernel", driver.InvalidValue, "%s: %d bytes of dynamic shared memory, want at most %d (set FuncMaxDynShared)", f.fn.Name(), l.Shared, f.shared)
	}
	args := slices.Clone(l.Args)
	grid, block, shared := dims(l.Grid), dims(l.Block), int(l.Shared)
	return d.queue(l.Stream, op{"cuLaunchKernel", uintptr(l.Function), func() error {
		c, err := f.fn.Launch(grid, block, shared, args)
		d.count(f.fn, c, block.X*block.Y*block.Z, f.fn.StaticShared()+shared)
		if err != nil {
			err = faulted("cuLaunchKernel", err)
			if errors.As(err, new(*emu.Fault)) && d.sticky == nil {
				d.sticky = err
			}
		}
		return err
	}})
}

func dims(v driver.Dim3) emu.Dim3 { return emu.Dim3{X: int(v.X), Y: int(v.Y), Z: int(v.Z)} }

func (d *Driver) count(f *emu.Function, c emu.Counters, threads, shared int) {
	id := [2]string{f.File(), f.Name()}
	k := d.counts[id]
	if k == nil {
		k = &Kernel{File: id[0], Name: id[1]}
		d.counts[id] = k
		d.order = append(d.order, k)
	}
	k.Launches++
	k.Threads, k.Shared = threads, shared
	k.Counters.Add(c)
	d.clock += float64(c.Warps) * 1e-6
}
