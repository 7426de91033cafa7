//go:build cu && cgo

package cu

import (
	"reflect"
	"runtime/cgo"
	"unsafe"

	"artel/kernels/cuda/driver"

	"gorgonia.org/cu"
)

// Open returns the driver that the program is linked with.
func Open() (*driver.API, error) {
	return &driver.API{
		Name:                 "gorgonia.org/cu",
		Init:                 func() error { return nil }, // done by the package's own init
		Version:              func() (int, error) { return cu.Version(), nil },
		Devices:              devices(),
		Contexts:             contexts(),
		Modules:              modules(),
		Memory:               memory(),
		Streams:              streams(),
		Graphs:               graphs(),
		Launch:               launch(),
		TensorMapEncodeTiled: encodeTiled,
	}, nil
}

// result turns an error of gorgonia.org/cu, whose type is a number that it does not export, into one of ours.
func result(call string, err error) error {
	if err == nil {
		return nil
	}
	cause := err
	for {
		c, ok := cause.(interface{ Cause() error })
		if !ok {
			break
		}
		cause = c.Cause()
	}
	if v := reflect.ValueOf(cause); v.CanInt() {
		return driver.Check(call, int32(v.Int()))
	}
	return &driver.Error{Call: call, Code: driver.Unknown, Log: err.Error()}
}

// handle reads the one word of a handle type of gorgonia.org/cu.
func handle[H, T any](h T) H {
	var want [1]struct{}
	_ = want[unsafe.Sizeof(h)-unsafe.Sizeof(uintptr(0))] // does not compile, or index out of range, when a handle grows
	return *(*H)(unsafe.Pointer(&h))
}

func devices() driver.Devices {
	return driver.Devices{
		DeviceCount: func() (int, error) {
			n, err := cu.NumDevices()
			return n, result("cuDeviceGetCount", err)
		},
		DeviceName: func(d driver.Device) (string, error) {
			dev, err := cu.GetDevice(int(d))
			if err != nil {
				return "", result("cuDeviceGet", err)
			}
			s, err := dev.Name()
			return s, result("cuDeviceGetName", err)
		},
		DeviceUUID: func(d driver.Device) ([16]byte, error) {
			dev, err := cu.GetDevice(int(d))
			if err != nil {
				return [16]byte{}, result("cuDeviceGet", err)
			}
			id, err := dev.UUID()
			return id, result("cuDeviceGetUuid", err)
		},
		DeviceAttribute: func(a driver.Attribute, d driver.Device) (int, error) {
			dev, err := cu.GetDevice(int(d))
			if err != nil {
				return 0, result("cuDeviceGet", err)
			}
			v, err := dev.Attribute(cu.DeviceAttribute(a))
			return v, result("cuDeviceGetAttribute", err)
		},
		DeviceTotalMem: func(d driver.Device) (int64, error) {
			dev, err := cu.GetDevice(int(d))
			if err != nil {
				return 0, result("cuDeviceGet", err)
			}
			n, err := dev.TotalMem()
			return n, result("cuDeviceTotalMem", err)
		},
	}
}

func contexts() driver.Contexts {
	return driver.Contexts{
		PrimaryRetain: func(d driver.Device) (driver.Context, error) {
			dev, err := cu.GetDevice(int(d))
			if err != nil {
				return 0, result("cuDeviceGet", err)
			}
			c, err := dev.RetainPrimaryCtx()
			return handle[driver.Context](c), result("cuDevicePrimaryCtxRetain", err)
		},
		PrimaryRelease: func(d driver.Device) error {
			dev, err := cu.GetDevice(int(d))
			if err != nil {
				return result("cuDeviceGet", err)
			}
			return result("cuDevicePrimaryCtxRelease", dev.ReleasePrimaryCtx())
		},
		SetCurrent: func(c driver.Context) error {
			return result("cuCtxSetCurrent", cu.SetCurrentContext(handle[cu.CUContext](c)))
		},
		Synchronize: func() error { return result("cuCtxSynchronize", cu.Synchronize()) },
		MemGetInfo: func() (int64, int64, error) {
			free, total, err := cu.MemInfo()
			return free, total, result("cuMemGetInfo", err)
		},
	}
}

func memory() driver.Memory {
	return driver.Memory{
		MemAlloc: func(n int64) (driver.Ptr, error) {
			p, err := cu.MemAlloc(n)
			return driver.Ptr(p), result("cuMemAlloc", err)
		},
		MemFree:       func(p driver.Ptr) error { return result("cuMemFree", cu.MemFree(cu.DevicePtr(p))) },
		MemAllocAsync: allocAsync,
		MemFreeAsync:  freeAsync,
		HostAlloc:     hostAlloc,
		HostFree:      func(h driver.Host) error { return result("cuMemFreeHost", cu.MemFreeHost(h.Addr)) },
		MemcpyHtoD: func(dst driver.Ptr, src unsafe.Pointer, n int64) error {
			return result("cuMemcpyHtoD", cu.MemcpyHtoD(cu.DevicePtr(dst), src, n))
		},
		MemcpyDtoH: func(dst unsafe.Pointer, src driver.Ptr, n int64) error {
			return result("cuMemcpyDtoH", cu.MemcpyDtoH(dst, cu.DevicePtr(src), n))
		},
		MemcpyHtoDAsync: func(dst driver.Ptr, src unsafe.Pointer, n int64, s driver.Stream) error {
			return result("cuMemcpyHtoDAsync", cu.MemcpyHtoDAsync(cu.DevicePtr(dst), src, n, stream(s)))
		},
		MemcpyDtoHAsync: func(dst unsafe.Pointer, src driver.Ptr, n int64, s driver.Stream) error {
			return result("cuMemcpyDtoHAsync", cu.MemcpyDtoHAsync(dst, cu.DevicePtr(src), n, stream(s)))
		},
		MemcpyDtoDAsync: func(dst, src driver.Ptr, n int64, s driver.Stream) error {
			return result("cuMemcpyDtoDAsync", cu.MemcpyDtoDAsync(cu.DevicePtr(dst), cu.DevicePtr(src), n, stream(s)))
		},
		MemsetD8Async: func(dst driver.Ptr, v uint8, n int64, s driver.Stream) error {
			return result("cuMemsetD8Async", cu.MemsetD8Async(cu.DevicePtr(dst), v, n, stream(s)))
		},
		MemsetD32Async: func(dst driver.Ptr, v uint32, n int64, s driver.Stream) error {
			return result("cuMemsetD32Async", cu.MemsetD32Async(cu.DevicePtr(dst), uint(v), n, stream(s)))
		},
	}
}

func stream(s driver.Stream) cu.Stream { return handle[cu.Stream](s) }

func streams() driver.Streams {
	event := func(e driver.Event) cu.Event { return handle[cu.Event](e) }
	return driver.Streams{
		StreamCreate: func() (driver.Stream, error) {
			s, err := cu.MakeStream(cu.NonBlocking)
			return handle[driver.Stream](s), result("cuStreamCreate", err)
		},
		StreamDestroy: func(s driver.Stream) error {
			h := stream(s)
			return result("cuStreamDestroy", h.Destroy())
		},
		StreamSynchronize: func(s driver.Stream) error { return result("cuStreamSynchronize", stream(s).Synchronize()) },
		StreamWaitEvent: func(s driver.Stream, e driver.Event) error {
			return result("cuStreamWaitEvent", stream(s).Wait(event(e), 0))
		},
		EventCreate: func(timing bool) (driver.Event, error) {
			flags := cu.DefaultEvent
			if !timing {
				flags = cu.DisableTiming
			}
			e, err := cu.MakeEvent(flags)
			return handle[driver.Event](e), result("cuEventCreate", err)
		},
		EventDestroy: func(e driver.Event) error {
			h := event(e)
			return result("cuEventDestroy", cu.DestroyEvent(&h))
		},
		EventRecord: func(e driver.Event, s driver.Stream) error {
			return result("cuEventRecord", event(e).Record(stream(s)))
		},
		EventSynchronize: func(e driver.Event) error { return result("cuEventSynchronize", event(e).Synchronize()) },
		EventElapsed: func(from, to driver.Event) (float32, error) {
			ms, err := event(from).Elapsed(event(to))
			return float32(ms), result("cuEventElapsedTime", err)
		},
		HostFunc:       func(f func()) driver.HostFunc { return driver.HostFunc(cgo.NewHandle(f)) },
		LaunchHostFunc: launchHost,
	}
}
