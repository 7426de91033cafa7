package cuda

import (
	"unsafe"

	"artel/dtype"
	"artel/kernels/internal/host"
	"artel/tensor"
)

// stagingBytes is the size of the page-locked buffer that transfers pass through.
const stagingBytes = 4 << 20

func bytesAt(p unsafe.Pointer, n int64) []byte { return unsafe.Slice((*byte)(p), n) }

// crosses reports whether a copy goes between memory that only the host reaches, or that it may touch at once, and the device.
func crosses(dst, src tensor.Tensor) bool {
	return dst.Storage().Address() == 0 || src.Storage().Address() == 0
}

// transfer copies between the host and the device, any types and strides, through the staging buffer. It has finished when it returns.
// The device's side is contiguous.
func (d *device) transfer(dst, src tensor.Tensor) {
	n := dst.Len()
	if n == 0 {
		return
	}
	defer d.enter()()
	if dst.Storage().Address() == 0 && src.Storage().Address() == 0 {
		host.Copy(dst, src)
		return
	}
	if d.staging.Addr == nil {
		d.staging = d.hostAlloc(stagingBytes)
	}
	if dst.Storage().Address() == 0 {
		d.download(dst, src, n)
	} else {
		d.upload(dst, src, n)
	}
}

// upload copies from the host in pieces of whole rows of the first dimension, or element runs of a contiguous source.
func (d *device) upload(dst, src tensor.Tensor, n int) {
	if !src.Contiguous() || src.Type != dst.Type {
		tight := tensor.New(dst.Type, dst.Shape()...)
		host.Copy(tight, src)
		src = tight
	}
	src, dst = src.Reshape(n), dst.Reshape(n)
	step := stagingBytes / dst.Type.Size()
	for lo := 0; lo < n; lo += step {
		m := min(step, n-lo)
		host.Copy(d.staged(dst.Type, m), src.Narrow(0, lo, m))
		d.fail(d.api.MemcpyHtoDAsync(at(dst.Narrow(0, lo, m)), d.staging.Addr, int64(m*dst.Type.Size()), d.stream))
		d.fail(d.api.StreamSynchronize(d.stream))
	}
}

// download copies to the host.
func (d *device) download(dst, src tensor.Tensor, n int) {
	to := dst
	if !dst.Contiguous() {
		to = tensor.New(dst.Type, dst.Shape()...)
	}
	flat, src := to.Reshape(n), src.Reshape(n)
	step := stagingBytes / src.Type.Size()
	for lo := 0; lo < n; lo += step {
		m := min(step, n-lo)
		d.fail(d.api.MemcpyDtoHAsync(d.staging.Addr, at(src.Narrow(0, lo, m)), int64(m*src.Type.Size()), d.stream))
		d.fail(d.api.StreamSynchronize(d.stream))
		host.Copy(flat.Narrow(0, lo, m), d.staged(src.Type, m))
	}
	if !dst.Contiguous() {
		host.Copy(dst, to)
	}
}

// staged is the staging buffer as a tensor.
func (d *device) staged(t dtype.Type, n int) tensor.Tensor {
	return tensor.Of(tensor.Shared(t, n, d.staging.Addr, uint64(d.staging.Dev)), 0, n)
}
