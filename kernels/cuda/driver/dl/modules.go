//go:build !nocuda && linux && (amd64 || arm64)

package dl

import (
	"bytes"
	"runtime"
	"unsafe"

	"artel/kernels/cuda/driver"
)

// Options of the compiler in the driver (CUjit_option).
const (
	jitInfoBuffer, jitInfoSize   = 3, 4
	jitErrorBuffer, jitErrorSize = 5, 6
)

func (l *library) modules() driver.Modules {
	load, unload, function := l.find("cuModuleLoadDataEx"), l.find("cuModuleUnload"), l.find("cuModuleGetFunction")
	global, get, set := l.find("cuModuleGetGlobal_v2"), l.find("cuFuncGetAttribute"), l.find("cuFuncSetAttribute")
	return driver.Modules{
		ModuleLoad: func(image []byte) (driver.Module, string, error) {
			var m uintptr
			text := append(bytes.Clone(image), 0) // PTX is a C string
			info, fault := new([8192]byte), new([8192]byte)
			options := [4]uint32{jitInfoBuffer, jitInfoSize, jitErrorBuffer, jitErrorSize}
			values := [4]uintptr{uintptr(unsafe.Pointer(info)), uintptr(len(info)), uintptr(unsafe.Pointer(fault)), uintptr(len(fault))}
			err := load.call(uintptr(addr(&m)), uintptr(addr(&text[0])), uintptr(len(options)), uintptr(addr(&options)), uintptr(addr(&values)))
			runtime.KeepAlive(info)
			runtime.KeepAlive(fault)
			if e, ok := err.(*driver.Error); ok {
				e.Log = text0(fault[:])
			}
			return driver.Module(m), text0(info[:]), err
		},
		ModuleUnload: func(m driver.Module) error { return unload.call(uintptr(m)) },
		ModuleFunction: func(m driver.Module, name string) (driver.Function, error) {
			var f uintptr
			text := append([]byte(name), 0)
			err := function.call(uintptr(addr(&f)), uintptr(m), uintptr(addr(&text[0])))
			return driver.Function(f), named(err, name)
		},
		ModuleGlobal: func(m driver.Module, name string) (driver.Ptr, int64, error) {
			var p, n uint64
			text := append([]byte(name), 0)
			err := global.call(uintptr(addr(&p)), uintptr(addr(&n)), uintptr(m), uintptr(addr(&text[0])))
			return driver.Ptr(p), int64(n), named(err, name)
		},
		FunctionAttribute: func(a driver.FuncAttribute, f driver.Function) (int, error) {
			var v int32
			err := get.call(uintptr(addr(&v)), uintptr(a), uintptr(f))
			return int(v), err
		},
		SetFunctionAttribute: func(f driver.Function, a driver.FuncAttribute, v int) error {
			return set.call(uintptr(f), uintptr(a), uintptr(v))
		},
	}
}

func text0(b []byte) string {
	s, _, _ := bytes.Cut(b, []byte{0})
	return string(bytes.TrimSpace(s))
}

// named adds what was asked for to an error.
func named(err error, what string) error {
	if e, ok := err.(*driver.Error); ok {
		e.Log = what
	}
	return err
}

// Keys of the extra argument of cuLaunchKernel.
const (
	launchBuffer = 1
	launchSize   = 2
)

// launch returns the call that starts a kernel. The parameters are handed over as one buffer, through a list that is made once.
func (l *library) launch() func(*driver.Launch) error {
	f := l.find("cuLaunchKernel")
	extra := new([5]uintptr)
	size := new(uintptr)
	none := new(uint64)
	return func(k *driver.Launch) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		args := unsafe.Pointer(none)
		if len(k.Args) > 0 {
			args = unsafe.Pointer(unsafe.SliceData(k.Args))
		}
		*size = uintptr(len(k.Args))
		*extra = [5]uintptr{launchBuffer, uintptr(args), launchSize, uintptr(unsafe.Pointer(size)), 0}
		l.frame = [16]uintptr{
			uintptr(k.Function), uintptr(k.Grid.X), uintptr(k.Grid.Y), uintptr(k.Grid.Z), uintptr(k.Block.X), uintptr(k.Block.Y), uintptr(k.Block.Z),
			uintptr(k.Shared), uintptr(k.Stream), 0, uintptr(unsafe.Pointer(extra)),
		}
		err := f.call(l.frame[:11]...)
		runtime.KeepAlive(args)
		return err
	}
}

// encodeTiled checks first, since the driver answers every mistake alike.
func encodeTiled(f fn, m *driver.TensorMap, t *driver.Tiled) error {
	if err := t.Check(); err != nil {
		return err
	}
	c := *t
	aligned := new([192]byte) // the driver wants a multiple of 64
	off := -uintptr(unsafe.Pointer(aligned)) & 63
	fill := uintptr(0)
	if t.NaNFill {
		fill = 1
	}
	err := f.call(uintptr(unsafe.Pointer(&aligned[off])), uintptr(c.Type), uintptr(c.Rank), uintptr(c.Base), uintptr(unsafe.Pointer(&c.Dims)), uintptr(unsafe.Pointer(&c.Strides)),
		uintptr(unsafe.Pointer(&c.Box)), uintptr(unsafe.Pointer(&c.Steps)), 0, uintptr(c.Swizzle), uintptr(c.L2), fill)
	copy(m[:], aligned[off:])
	return err
}
