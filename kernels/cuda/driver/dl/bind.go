//go:build !nocuda && linux && (amd64 || arm64)

package dl

import (
	"bytes"
	"unsafe"

	"artel/kernels/cuda/driver"
)

// addr is the address of a variable for an argument list of call.
func addr[T any](p *T) unsafe.Pointer { return unsafe.Pointer(p) }

func (l *library) bind() *driver.API {
	api := &driver.API{Devices: l.devices(), Contexts: l.contexts(), Modules: l.modules(), Memory: l.memory(), Streams: l.streams(), Graphs: l.graphs()}
	initialise, version := l.find("cuInit"), l.find("cuDriverGetVersion")
	api.Init = func() error { return initialise.call(0) }
	api.Version = func() (int, error) {
		var v int32
		err := version.call(uintptr(addr(&v)))
		return int(v), err
	}
	api.Launch = l.launch()
	if encode := l.maybe("cuTensorMapEncodeTiled"); encode.addr != 0 { // since CUDA 12.0
		api.TensorMapEncodeTiled = func(m *driver.TensorMap, t *driver.Tiled) error { return encodeTiled(encode, m, t) }
	}
	return api
}

func (l *library) devices() driver.Devices {
	get, count, name := l.find("cuDeviceGet"), l.find("cuDeviceGetCount"), l.find("cuDeviceGetName")
	uuid, attribute, total := l.find("cuDeviceGetUuid_v2"), l.find("cuDeviceGetAttribute"), l.find("cuDeviceTotalMem_v2")
	// A Device is an ordinal here; the driver's own handle is asked for each time, which costs nothing that matters.
	handle := func(d driver.Device) (uintptr, error) {
		var h int32
		err := get.call(uintptr(addr(&h)), uintptr(d))
		return uintptr(h), err
	}
	return driver.Devices{
		DeviceCount: func() (int, error) {
			var n int32
			err := count.call(uintptr(addr(&n)))
			return int(n), err
		},
		DeviceName: func(d driver.Device) (string, error) {
			var text [256]byte
			h, err := handle(d)
			if err == nil {
				err = name.call(uintptr(addr(&text)), uintptr(len(text)), h)
			}
			s, _, _ := bytes.Cut(text[:], []byte{0})
			return string(s), err
		},
		DeviceUUID: func(d driver.Device) (id [16]byte, err error) {
			h, err := handle(d)
			if err == nil {
				err = uuid.call(uintptr(addr(&id)), h)
			}
			return id, err
		},
		DeviceAttribute: func(a driver.Attribute, d driver.Device) (int, error) {
			var v int32
			h, err := handle(d)
			if err == nil {
				err = attribute.call(uintptr(addr(&v)), uintptr(a), h)
			}
			return int(v), err
		},
		DeviceTotalMem: func(d driver.Device) (int64, error) {
			var n uint64
			h, err := handle(d)
			if err == nil {
				err = total.call(uintptr(addr(&n)), h)
			}
			return int64(n), err
		},
	}
}

func (l *library) contexts() driver.Contexts {
	get, retain, release := l.find("cuDeviceGet"), l.find("cuDevicePrimaryCtxRetain"), l.find("cuDevicePrimaryCtxRelease_v2")
	current, synchronize, info := l.find("cuCtxSetCurrent"), l.find("cuCtxSynchronize"), l.find("cuMemGetInfo_v2")
	return driver.Contexts{
		PrimaryRetain: func(d driver.Device) (driver.Context, error) {
			var h int32
			var c uintptr
			err := get.call(uintptr(addr(&h)), uintptr(d))
			if err == nil {
				err = retain.call(uintptr(addr(&c)), uintptr(h))
			}
			return driver.Context(c), err
		},
		PrimaryRelease: func(d driver.Device) error {
			var h int32
			if err := get.call(uintptr(addr(&h)), uintptr(d)); err != nil {
				return err
			}
			return release.call(uintptr(h))
		},
		SetCurrent:  func(c driver.Context) error { return current.call(uintptr(c)) },
		Synchronize: func() error { return synchronize.call() },
		MemGetInfo: func() (int64, int64, error) {
			var free, total uint64
			err := info.call(uintptr(addr(&free)), uintptr(addr(&total)))
			return int64(free), int64(total), err
		},
	}
}
