package emu

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"artel/kernels/cuda/emu/ptx"
)

// Module is a loaded PTX file: its kernels, decoded, and its variables in device memory.
type Module struct {
	dev   *Device
	asm   *ptx.Module
	file  string
	vars  map[*ptx.Var]*allocation
	names map[string]*allocation
	funcs map[string]*Function
	order []string
}

// Function is a kernel of a module.
type Function struct {
	mod     *Module
	name    string
	file    string
	asm     *ptx.Kernel
	code    []inst
	presets []preset

	fileSize  int // bytes of a warp's registers
	shared    int // bytes of static shared memory
	dynamic   int // offset of dynamic shared memory, -1 when the kernel declares none
	frame     int // bytes of a thread's local variables
	localSize int // bytes of a thread, with those of the functions it calls
	functions int // that it calls
}

// LoadModule reads PTX and decodes its kernels; name is the file's name in errors. Mistakes in the text and unknown instructions are *ptx.Error values with the line.
func (d *Device) LoadModule(name string, text []byte) (*Module, error) {
	asm, err := ptx.Parse(name, text)
	if err != nil {
		return nil, err
	}
	if err := d.accepts(asm); err != nil {
		return nil, err
	}
	m := &Module{dev: d, asm: asm, file: name, vars: map[*ptx.Var]*allocation{}, names: map[string]*allocation{}, funcs: map[string]*Function{}}
	for _, v := range asm.Vars {
		if v.Space == ptx.Shared {
			continue
		}
		if v.Extern || v.Size == 0 {
			return nil, &ptx.Error{File: name, Line: v.Line, Msg: "extern variable " + v.Name + " cannot be resolved: modules are not linked"}
		}
		mem, err := d.mem.alloc(int64(v.Size))
		if err != nil {
			return nil, err
		}
		copy(mem.data, v.Init)
		mem.written(0, v.Size)
		mem.readOnly = v.Space == ptx.Const
		mem.name = v.Name
		m.vars[v], m.names[v.Name] = mem, mem
	}
	for v, mem := range m.vars {
		for _, r := range v.Relocs {
			if err := m.relocate(mem, v, r); err != nil {
				return nil, err
			}
		}
	}
	for _, k := range asm.Kernels {
		f, err := decode(m, asm, k)
		if err != nil {
			return nil, err
		}
		m.funcs[k.Name] = f
		m.order = append(m.order, k.Name)
	}
	return m, nil
}

// relocate writes an address into the initial contents of a variable.
func (m *Module) relocate(mem *allocation, v *ptx.Var, r ptx.Reloc) error {
	at := uint64(r.Off)
	switch {
	case r.Func != nil:
		at += m.address(r.Func)
	case m.vars[r.Var] != nil:
		at += m.vars[r.Var].base
	default:
		return &ptx.Error{File: m.file, Line: v.Line, Msg: "the address of " + r.Var.Name + " in the initial value of " + v.Name + ": only those of global and constant memory are known"}
	}
	binary.LittleEndian.PutUint64(mem.data[r.At:], at)
	return nil
}

// accepts checks the target against the device: PTX for sm_80 runs on later devices, PTX for sm_90a only on 9.0.
func (d *Device) accepts(asm *ptx.Module) error {
	target := strings.TrimSuffix(asm.Target, ",")
	digits := strings.TrimRight(strings.TrimPrefix(target, "sm_"), "af")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return fmt.Errorf("emu: %s: target %s is not sm_NN", asm.File, target)
	}
	if n > d.opts.Capability || strings.HasSuffix(target, "a") && n != d.opts.Capability {
		return fmt.Errorf("emu: %s: target %s does not run on a device of capability %d.%d", asm.File, target, d.opts.Capability/10, d.opts.Capability%10)
	}
	return nil
}

// Function finds a kernel.
func (m *Module) Function(name string) (*Function, error) {
	if f := m.funcs[name]; f != nil {
		return f, nil
	}
	return nil, fmt.Errorf("emu: %s has no kernel %q; it has %s", m.file, name, strings.Join(m.order, ", "))
}

// Global finds a variable of the module and its size in bytes.
func (m *Module) Global(name string) (Ptr, int64, error) {
	if v := m.names[name]; v != nil {
		return Ptr(v.base), int64(v.size), nil
	}
	return 0, 0, fmt.Errorf("emu: %s has no variable %q", m.file, name)
}

// Unload releases the variables of the module; its functions must not run any more.
func (m *Module) Unload() error {
	for _, v := range m.names {
		if err := m.dev.mem.free(Ptr(v.base)); err != nil {
			return err
		}
	}
	clear(m.names)
	return nil
}

// Name returns the kernel's name.
func (f *Function) Name() string { return f.name }

// File returns the name of the file that the kernel is in, as LoadModule got it.
func (f *Function) File() string { return f.file }

// StaticShared returns the bytes of shared memory that the kernel declares.
func (f *Function) StaticShared() int { return f.shared }

// MaxThreads returns the largest number of threads of a block: what the kernel declares, or 1024.
func (f *Function) MaxThreads() int {
	if f.asm.MaxThreads > 0 {
		return min(f.asm.MaxThreads, 1024)
	}
	return 1024
}

// LocalSize returns the bytes of local memory that a thread declares.
func (f *Function) LocalSize() int { return f.localSize }
