//go:build cu && cgo

package cu

// #include <cuda.h>
// #include <stdint.h>
// #include <stdlib.h>
//
// static CUresult artelLaunch(CUfunction f, unsigned *d, unsigned shared, CUstream s, void *args, size_t n) {
// 	void *extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, args, CU_LAUNCH_PARAM_BUFFER_SIZE, &n, CU_LAUNCH_PARAM_END};
// 	return cuLaunchKernel(f, d[0], d[1], d[2], d[3], d[4], d[5], shared, s, NULL, extra);
// }
//
// static CUresult artelLoad(CUmodule *m, const void *image, char *info, char *fault, size_t n) {
// 	CUjit_option o[] = {CU_JIT_INFO_LOG_BUFFER, CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES, CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
// 	void *v[] = {info, (void *)n, fault, (void *)n};
// 	return cuModuleLoadDataEx(m, image, 4, o, v);
// }
//
// static CUresult artelUpdate(CUgraphExec x, CUgraph g) {
// #if CUDA_VERSION >= 12000
// 	CUgraphExecUpdateResultInfo info;
// 	return cuGraphExecUpdate(x, g, &info);
// #else
// 	CUgraphNode node;
// 	CUgraphExecUpdateResult result;
// 	return cuGraphExecUpdate(x, g, &node, &result);
// #endif
// }
//
// void artelHostFunc(uintptr_t f);
//
// static CUresult artelLaunchHost(CUstream s, uintptr_t f) { return cuLaunchHostFunc(s, (CUhostFn)artelHostFunc, (void *)f); }
//
// static CUresult artelTiled(void *m, int type, unsigned rank, void *base, void *dims, void *strides, void *box, void *steps, int swizzle, int l2, int fill) {
// #if CUDA_VERSION >= 12000
// 	CUtensorMap map;
// 	CUresult r = cuTensorMapEncodeTiled(&map, type, rank, base, dims, strides, box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle, l2, fill);
// 	__builtin_memcpy(m, &map, sizeof map);
// 	return r;
// #else
// 	return CUDA_ERROR_NOT_SUPPORTED;
// #endif
// }
import "C"

import (
	"bytes"
	"sync"
	"unsafe"

	"artel/kernels/cuda/driver"

	"gorgonia.org/cu"
)

func check(call string, r C.CUresult) error { return driver.Check(call, int32(r)) }

func cstream(s driver.Stream) C.CUstream     { return handle[C.CUstream](s) }
func cgraph(g driver.Graph) C.CUgraph        { return handle[C.CUgraph](g) }
func cexec(x driver.GraphExec) C.CUgraphExec { return handle[C.CUgraphExec](x) }

func modules() driver.Modules {
	module := func(m driver.Module) cu.Module { return handle[cu.Module](m) }
	return driver.Modules{
		ModuleLoad: load,
		ModuleUnload: func(m driver.Module) error {
			return result("cuModuleUnload", module(m).Unload())
		},
		ModuleFunction: func(m driver.Module, name string) (driver.Function, error) {
			f, err := module(m).Function(name)
			return handle[driver.Function](f), named(result("cuModuleGetFunction", err), name)
		},
		ModuleGlobal: func(m driver.Module, name string) (driver.Ptr, int64, error) {
			p, n, err := module(m).Global(name)
			return driver.Ptr(p), n, named(result("cuModuleGetGlobal", err), name)
		},
		FunctionAttribute: func(a driver.FuncAttribute, f driver.Function) (int, error) {
			v, err := handle[cu.Function](f).Attribute(cu.FunctionAttribute(a))
			return v, result("cuFuncGetAttribute", err)
		},
		SetFunctionAttribute: func(f driver.Function, a driver.FuncAttribute, v int) error {
			return check("cuFuncSetAttribute", C.cuFuncSetAttribute(handle[C.CUfunction](f), C.CUfunction_attribute(a), C.int(v)))
		},
	}
}

func named(err error, what string) error {
	if e, ok := err.(*driver.Error); ok {
		e.Log = what
	}
	return err
}

func load(image []byte) (driver.Module, string, error) {
	const size = 8192
	text, logs := C.CBytes(append(bytes.Clone(image), 0)), C.calloc(2, size) // PTX is a C string
	defer C.free(text)
	defer C.free(logs)
	info, fault := (*C.char)(logs), (*C.char)(unsafe.Add(logs, size))
	var m C.CUmodule
	err := check("cuModuleLoadDataEx", C.artelLoad(&m, text, info, fault, size))
	return handle[driver.Module](m), C.GoString(info), named(err, C.GoString(fault))
}

// launch returns the call that starts a kernel. Sizes and parameters pass through C memory that is made once: cgo would allocate for Go memory.
func launch() func(*driver.Launch) error {
	const room = 4096 // the most that a kernel of any supported device takes as parameters
	var mu sync.Mutex
	buffer := C.malloc(64 + room)
	dims := (*[6]C.uint)(buffer)
	args := unsafe.Add(buffer, 64)
	return func(l *driver.Launch) error {
		if len(l.Args) > room {
			return &driver.Error{Call: "cuLaunchKernel", Code: driver.InvalidValue, Log: "more than 4096 bytes of parameters"}
		}
		mu.Lock()
		defer mu.Unlock()
		*dims = [6]C.uint{C.uint(l.Grid.X), C.uint(l.Grid.Y), C.uint(l.Grid.Z), C.uint(l.Block.X), C.uint(l.Block.Y), C.uint(l.Block.Z)}
		copy(unsafe.Slice((*byte)(args), room), l.Args)
		return check("cuLaunchKernel", C.artelLaunch(handle[C.CUfunction](l.Function), &dims[0], C.uint(l.Shared), cstream(l.Stream), args, C.size_t(len(l.Args))))
	}
}

func allocAsync(n int64, s driver.Stream) (driver.Ptr, error) {
	var p C.CUdeviceptr
	err := check("cuMemAllocAsync", C.cuMemAllocAsync(&p, C.size_t(n), cstream(s)))
	return driver.Ptr(p), err
}

func freeAsync(p driver.Ptr, s driver.Stream) error {
	return check("cuMemFreeAsync", C.cuMemFreeAsync(C.CUdeviceptr(p), cstream(s)))
}

func launchHost(s driver.Stream, f driver.HostFunc) error {
	return check("cuLaunchHostFunc", C.artelLaunchHost(cstream(s), C.uintptr_t(f)))
}

func hostAlloc(n int64) (driver.Host, error) {
	h := driver.Host{Size: n}
	var dev C.CUdeviceptr
	if err := check("cuMemHostAlloc", C.cuMemHostAlloc(&h.Addr, C.size_t(n), C.CU_MEMHOSTALLOC_PORTABLE|C.CU_MEMHOSTALLOC_DEVICEMAP)); err != nil {
		return driver.Host{}, err
	}
	if err := check("cuMemHostGetDevicePointer", C.cuMemHostGetDevicePointer(&dev, h.Addr, 0)); err != nil {
		C.cuMemFreeHost(h.Addr)
		return driver.Host{}, err
	}
	h.Dev = driver.Ptr(dev)
	return h, nil
}

func graphs() driver.Graphs {
	return driver.Graphs{
		BeginCapture: func(s driver.Stream) error {
			return check("cuStreamBeginCapture", C.cuStreamBeginCapture(cstream(s), C.CU_STREAM_CAPTURE_MODE_RELAXED))
		},
		EndCapture: func(s driver.Stream) (driver.Graph, error) {
			var g C.CUgraph
			err := check("cuStreamEndCapture", C.cuStreamEndCapture(cstream(s), &g))
			return handle[driver.Graph](g), err
		},
		GraphInstantiate: func(g driver.Graph) (driver.GraphExec, error) {
			var x C.CUgraphExec
			err := check("cuGraphInstantiateWithFlags", C.cuGraphInstantiateWithFlags(&x, cgraph(g), 0))
			return handle[driver.GraphExec](x), err
		},
		GraphExecUpdate: func(x driver.GraphExec, g driver.Graph) (bool, error) {
			err := check("cuGraphExecUpdate", C.artelUpdate(cexec(x), cgraph(g)))
			if driver.Is(err, driver.GraphUpdateFailure) {
				return false, nil
			}
			return err == nil, err
		},
		GraphLaunch: func(x driver.GraphExec, s driver.Stream) error {
			return check("cuGraphLaunch", C.cuGraphLaunch(cexec(x), cstream(s)))
		},
		GraphDestroy:     func(g driver.Graph) error { return check("cuGraphDestroy", C.cuGraphDestroy(cgraph(g))) },
		GraphExecDestroy: func(x driver.GraphExec) error { return check("cuGraphExecDestroy", C.cuGraphExecDestroy(cexec(x))) },
	}
}

func encodeTiled(m *driver.TensorMap, t *driver.Tiled) error {
	if err := t.Check(); err != nil {
		return err
	}
	fill := C.int(0)
	if t.NaNFill {
		fill = 1
	}
	c := *t
	return check("cuTensorMapEncodeTiled", C.artelTiled(unsafe.Pointer(m), C.int(c.Type), C.uint(c.Rank), handle[unsafe.Pointer](uintptr(c.Base)),
		unsafe.Pointer(&c.Dims), unsafe.Pointer(&c.Strides), unsafe.Pointer(&c.Box), unsafe.Pointer(&c.Steps), C.int(c.Swizzle), C.int(c.L2), fill))
}
