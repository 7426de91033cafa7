package driver

import "unsafe"

// Handles of the driver; 0 is none, and for a Stream the default one.
type (
	Device    int32
	Context   uintptr
	Module    uintptr
	Function  uintptr
	Stream    uintptr
	Event     uintptr
	Graph     uintptr
	GraphExec uintptr
	HostFunc  uintptr // a function of the host
	Ptr       uint64  // an address in device memory
)

// Dim3 is the size of a grid in blocks, or of a block in threads.
type Dim3 struct{ X, Y, Z uint32 }

// Launch is one kernel launch. The driver copies Args before Launch returns.
type Launch struct {
	Function Function
	Grid     Dim3
	Block    Dim3
	Shared   uint32 // dynamic shared memory per block
	Stream   Stream
	// Args holds the parameters one behind the other, each at a multiple of its own alignment as in a C struct (CUtensorMap: 64).
	// It starts at a multiple of 64 when it holds a tensor map, of 8 otherwise.
	Args []byte
}

// Host is page-locked host memory that kernels can reach too.
type Host struct {
	Addr unsafe.Pointer // for the host
	Dev  Ptr            // for kernels
	Size int64
}

// API is one driver. A nil function is a call that the provider lacks; see Missing.
type API struct {
	Name string // of the provider: "libcuda.so.1", "emu"

	Init    func() error
	Version func() (int, error) // 1000*major + 10*minor of the newest CUDA version the driver serves

	Devices
	Contexts
	Modules
	Memory
	Streams
	Graphs

	// Launch queues a kernel and allocates nothing.
	Launch func(*Launch) error
	// TensorMapEncodeTiled fills the descriptor of a tiled tensor in global memory.
	TensorMapEncodeTiled func(*TensorMap, *Tiled) error
}

// Devices holds questions about devices.
type Devices struct {
	DeviceCount     func() (int, error)
	DeviceName      func(Device) (string, error)
	DeviceUUID      func(Device) ([16]byte, error)
	DeviceAttribute func(Attribute, Device) (int, error)
	DeviceTotalMem  func(Device) (int64, error)
}

// Contexts holds calls on contexts. A device has one primary context, which everything in a process shares.
type Contexts struct {
	PrimaryRetain  func(Device) (Context, error)
	PrimaryRelease func(Device) error
	// SetCurrent binds a context to the calling thread.
	SetCurrent func(Context) error
	// Synchronize waits for all work of the current context and returns the first error of it.
	Synchronize func() error
	MemGetInfo  func() (free, total int64, err error)
}

// Modules holds calls on code.
type Modules struct {
	// ModuleLoad loads PTX text or a cubin. The log is what the compiler said; with an error it is in the Error too.
	ModuleLoad           func(image []byte) (m Module, log string, err error)
	ModuleUnload         func(Module) error
	ModuleFunction       func(Module, string) (Function, error)
	ModuleGlobal         func(Module, string) (Ptr, int64, error)
	FunctionAttribute    func(FuncAttribute, Function) (int, error)
	SetFunctionAttribute func(Function, FuncAttribute, int) error
}

// Memory holds calls on memory. The host sides of asynchronous copies lie in memory of HostAlloc and stay untouched until the stream has passed.
type Memory struct {
	MemAlloc        func(n int64) (Ptr, error) // aligned to 256
	MemFree         func(Ptr) error
	MemAllocAsync   func(n int64, s Stream) (Ptr, error) // from the device's pool
	MemFreeAsync    func(Ptr, Stream) error
	HostAlloc       func(n int64) (Host, error) // page-locked, mapped
	HostFree        func(Host) error
	MemcpyHtoD      func(dst Ptr, src unsafe.Pointer, n int64) error
	MemcpyDtoH      func(dst unsafe.Pointer, src Ptr, n int64) error
	MemcpyHtoDAsync func(dst Ptr, src unsafe.Pointer, n int64, s Stream) error
	MemcpyDtoHAsync func(dst unsafe.Pointer, src Ptr, n int64, s Stream) error
	MemcpyDtoDAsync func(dst, src Ptr, n int64, s Stream) error
	MemsetD8Async   func(dst Ptr, v uint8, n int64, s Stream) error
	MemsetD32Async  func(dst Ptr, v uint32, n int64, s Stream) error // n counts words of 4 bytes
}

// Streams holds calls on streams and events.
type Streams struct {
	StreamCreate      func() (Stream, error) // one that does not wait for the default stream
	StreamDestroy     func(Stream) error
	StreamSynchronize func(Stream) error
	StreamWaitEvent   func(Stream, Event) error
	EventCreate       func(timing bool) (Event, error)
	EventDestroy      func(Event) error
	EventRecord       func(Event, Stream) error
	EventSynchronize  func(Event) error
	EventElapsed      func(from, to Event) (milliseconds float32, err error)
	// HostFunc makes a function known to the driver for good. LaunchHostFunc queues a call of it, on a thread of the driver's, after the work before it and before
	// the work after it; in a capture it becomes a node of the graph. The function must not call the driver.
	HostFunc       func(f func()) HostFunc
	LaunchHostFunc func(Stream, HostFunc) error
}

// Graphs holds calls on graphs of recorded work.
type Graphs struct {
	// BeginCapture makes the stream record instead of run, until EndCapture; other threads may go on (relaxed mode).
	BeginCapture     func(Stream) error
	EndCapture       func(Stream) (Graph, error)
	GraphInstantiate func(Graph) (GraphExec, error)
	// GraphExecUpdate gives an executable graph the parameters of another graph of the same shape; ok is false when the shapes differ.
	GraphExecUpdate  func(GraphExec, Graph) (ok bool, err error)
	GraphLaunch      func(GraphExec, Stream) error
	GraphDestroy     func(Graph) error
	GraphExecDestroy func(GraphExec) error
}
