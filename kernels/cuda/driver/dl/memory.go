//go:build !nocuda && linux && (amd64 || arm64)

package dl

import (
	"unsafe"

	"artel/kernels/cuda/driver"
)

// Flags of cuMemHostAlloc.
const hostPortable, hostMapped = 1, 2

func (l *library) memory() driver.Memory {
	alloc, free, allocAsync, freeAsync := l.find("cuMemAlloc_v2"), l.find("cuMemFree_v2"), l.find("cuMemAllocAsync"), l.find("cuMemFreeAsync")
	hostAlloc, hostDev, hostFree := l.find("cuMemHostAlloc"), l.find("cuMemHostGetDevicePointer_v2"), l.find("cuMemFreeHost")
	htod, dtoh := l.find("cuMemcpyHtoD_v2"), l.find("cuMemcpyDtoH_v2")
	htodAsync, dtohAsync, dtodAsync := l.find("cuMemcpyHtoDAsync_v2"), l.find("cuMemcpyDtoHAsync_v2"), l.find("cuMemcpyDtoDAsync_v2")
	set8, set32 := l.find("cuMemsetD8Async"), l.find("cuMemsetD32Async")
	return driver.Memory{
		MemAlloc: func(n int64) (driver.Ptr, error) {
			var p uint64
			err := alloc.call(uintptr(addr(&p)), uintptr(n))
			return driver.Ptr(p), err
		},
		MemFree: func(p driver.Ptr) error { return free.call(uintptr(p)) },
		MemAllocAsync: func(n int64, s driver.Stream) (driver.Ptr, error) {
			var p uint64
			err := allocAsync.call(uintptr(addr(&p)), uintptr(n), uintptr(s))
			return driver.Ptr(p), err
		},
		MemFreeAsync: func(p driver.Ptr, s driver.Stream) error { return freeAsync.call(uintptr(p), uintptr(s)) },
		HostAlloc: func(n int64) (driver.Host, error) {
			h := driver.Host{Size: n}
			if err := hostAlloc.call(uintptr(addr(&h.Addr)), uintptr(n), hostPortable|hostMapped); err != nil {
				return driver.Host{}, err
			}
			if err := hostDev.call(uintptr(addr(&h.Dev)), uintptr(h.Addr), 0); err != nil {
				_ = hostFree.call(uintptr(h.Addr))
				return driver.Host{}, err
			}
			return h, nil
		},
		HostFree: func(h driver.Host) error { return hostFree.call(uintptr(h.Addr)) },
		MemcpyHtoD: func(dst driver.Ptr, src unsafe.Pointer, n int64) error {
			return htod.call(uintptr(dst), uintptr(src), uintptr(n))
		},
		MemcpyDtoH: func(dst unsafe.Pointer, src driver.Ptr, n int64) error {
			return dtoh.call(uintptr(dst), uintptr(src), uintptr(n))
		},
		MemcpyHtoDAsync: func(dst driver.Ptr, src unsafe.Pointer, n int64, s driver.Stream) error {
			return l.queue(htodAsync, uintptr(dst), uintptr(src), uintptr(n), uintptr(s))
		},
		MemcpyDtoHAsync: func(dst unsafe.Pointer, src driver.Ptr, n int64, s driver.Stream) error {
			return l.queue(dtohAsync, uintptr(dst), uintptr(src), uintptr(n), uintptr(s))
		},
		MemcpyDtoDAsync: func(dst, src driver.Ptr, n int64, s driver.Stream) error {
			return l.queue(dtodAsync, uintptr(dst), uintptr(src), uintptr(n), uintptr(s))
		},
		MemsetD8Async: func(dst driver.Ptr, v uint8, n int64, s driver.Stream) error {
			return l.queue(set8, uintptr(dst), uintptr(v), uintptr(n), uintptr(s))
		},
		MemsetD32Async: func(dst driver.Ptr, v uint32, n int64, s driver.Stream) error {
			return l.queue(set32, uintptr(dst), uintptr(v), uintptr(n), uintptr(s))
		},
	}
}
