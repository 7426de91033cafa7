//go:build !nocuda && linux && (amd64 || arm64)

package dl

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"

	"artel/kernels/cuda/driver"

	"github.com/ebitengine/purego"
)

// usual are the names that the driver's package installs, and the place of the Windows subsystem for Linux.
var usual = [...]string{"libcuda.so.1", "libcuda.so", "/usr/lib/wsl/lib/libcuda.so.1"}

// Open opens the first library that loads, of paths, of the one that the environment names, or of the usual ones, and binds
// its calls. The error lists what was tried and what the loader said. Open does not initialise the driver.
func Open(paths ...string) (*driver.API, error) {
	if len(paths) == 0 {
		if p := os.Getenv(Env); p != "" {
			paths = []string{p}
		} else {
			paths = usual[:]
		}
	}
	runtime.LockOSThread() // what the loader says of a failure belongs to the thread
	defer runtime.UnlockOSThread()
	var tried []string
	for _, p := range paths {
		h, err := purego.Dlopen(p, purego.RTLD_NOW|purego.RTLD_GLOBAL)
		if err != nil {
			tried = append(tried, "  "+err.Error())
			continue
		}
		l := &library{handle: h}
		api := l.bind()
		api.Name = p
		if len(l.missing) > 0 {
			return nil, fmt.Errorf("libcuda: %s lacks %s: the driver is older than CUDA 11.8, or no CUDA driver", p, strings.Join(l.missing, ", "))
		}
		return api, nil
	}
	return nil, fmt.Errorf("libcuda: no NVIDIA driver library could be opened:\n%s\nInstall the driver, or name its libcuda.so.1 in %s.", strings.Join(tried, "\n"), Env)
}

// library is an open one.
type library struct {
	handle  uintptr
	missing []string
	mu      sync.Mutex
	frame   [16]uintptr // arguments of a call in progress, guarded by mu
	host    driver.HostFuncs
}

// fn is an entry point.
type fn struct {
	name string
	addr uintptr
}

// find returns an entry point; one that is not there is noted as missing. The name of the call leaves out the version of the symbol.
func (l *library) find(symbol string) fn {
	f := l.maybe(symbol)
	if f.addr == 0 {
		l.missing = append(l.missing, symbol)
	}
	return f
}

// maybe is find for what older drivers lack.
func (l *library) maybe(symbol string) fn {
	addr, err := purego.Dlsym(l.handle, symbol)
	if err != nil {
		addr = 0
	}
	name := symbol
	for _, v := range []string{"_v2", "_v3"} {
		name = strings.TrimSuffix(name, v)
	}
	return fn{name, addr}
}

// call calls an entry point; its arguments are numbers, or addresses converted in the argument list.
//
//go:uintptrescapes
func (f fn) call(args ...uintptr) error {
	r, _, _ := purego.SyscallN(f.addr, args...)
	if int32(r) == 0 {
		return nil
	}
	return driver.Check(f.name, int32(r))
}

// queue calls an entry point that returns at once. Unlike call it allocates nothing: the arguments wait in one place.
func (l *library) queue(f fn, a0, a1, a2, a3 uintptr) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frame[0], l.frame[1], l.frame[2], l.frame[3] = a0, a1, a2, a3
	return f.call(l.frame[:4]...)
}
