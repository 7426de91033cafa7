//go:build !nocuda && linux && (amd64 || arm64)

package nvtx

import (
	"os"
	"runtime"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Slots of the module "core" of the function table, and tables that a profiler asks for.
const (
	coreModule     = 1
	rangePush      = 9
	rangePop       = 11
	coreSlots      = 16
	tableCallbacks = 1
	tableVersion   = 3
	version        = 3
)

// tool is a profiler's functions.
type tool struct {
	push, pop uintptr
	args      [1]uintptr // guarded by mu
	mu        sync.Mutex
	keep      *tables
}

// tables is memory that the profiler keeps addresses of: its layout is C's.
type tables struct {
	slots     [coreSlots + 1]*uintptr // addresses of the functions' places, from slot 1; the last entry is nil
	functions [coreSlots]uintptr
	callbacks struct{ size, module uintptr }
	versions  struct {
		size     uintptr
		version  uint32
		_        uint32
		callback uintptr
	}
}

// asked says that a profiler started this process. It is all that a range costs otherwise.
var asked = os.Getenv(Env) != ""

// active is the profiler, or nil.
var active = sync.OnceValue(attach)

// attach opens the library that the environment names.
func attach() *tool {
	path := os.Getenv(Env)
	if path == "" {
		return nil
	}
	lib, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil
	}
	initialise, err := purego.Dlsym(lib, "InitializeInjectionNvtx2")
	if err != nil {
		return nil
	}
	t := &tool{keep: newTables()}
	export := purego.NewCallback(func(id uintptr) uintptr {
		switch uint32(id) {
		case tableCallbacks:
			return uintptr(unsafe.Pointer(&t.keep.callbacks))
		case tableVersion:
			return uintptr(unsafe.Pointer(&t.keep.versions))
		}
		return 0
	})
	if ok, _, _ := purego.SyscallN(initialise, export); uint32(ok) == 0 {
		return nil
	}
	t.push, t.pop = t.keep.functions[rangePush], t.keep.functions[rangePop]
	if t.push == 0 || t.pop == 0 {
		return nil
	}
	return t
}

func newTables() *tables {
	k := new(tables)
	for i := range coreSlots {
		k.slots[i] = &k.functions[i]
	}
	k.callbacks.size = unsafe.Sizeof(k.callbacks)
	k.callbacks.module = purego.NewCallback(func(module uintptr, table **uintptr, size *uint32) uintptr {
		if uint32(module) != coreModule {
			return 0
		}
		*table = (*uintptr)(unsafe.Pointer(&k.slots))
		if size != nil {
			*size = coreSlots
		}
		return 1
	})
	k.versions.size, k.versions.version = unsafe.Sizeof(k.versions), version
	k.versions.callback = purego.NewCallback(func(uintptr) uintptr { return 0 })
	return k
}

// Active reports whether a profiler listens.
func Active() bool { return asked && active() != nil }

// Push begins a range, and Pop ends the last one of the calling thread. The goroutine stays on its thread in between.
func Push(n *Name) {
	if asked {
		push(n)
	}
}

func push(n *Name) {
	t := active()
	if t == nil {
		return
	}
	runtime.LockOSThread()
	t.mu.Lock()
	t.args[0] = uintptr(unsafe.Pointer(&n.text[0]))
	purego.SyscallN(t.push, t.args[:]...)
	t.mu.Unlock()
}

// Pop ends a range.
func Pop() {
	if asked {
		pop()
	}
}

func pop() {
	t := active()
	if t == nil {
		return
	}
	t.mu.Lock()
	purego.SyscallN(t.pop)
	t.mu.Unlock()
	runtime.UnlockOSThread()
}
