package cuda

import (
	"unsafe"

	"artel/dtype"
	"artel/kernels/cuda/driver"
	"artel/kernels/internal/host"
	"artel/tensor"
)

// stagingBytes is the size of the page-locked buffer that transfers pass through.
const stagingBytes = 4 << 20

// staging is page-locked memory with the bytes that copies under way may still read.
type staging struct {
	driver.Host
	used int64
}

func bytesAt(p unsafe.Pointer, n int64) []byte { return unsafe.Slice((*byte)(p), n) }

// crosses reports whether a copy goes between memory that only the host reaches, or that it may touch at once, and the device.
func crosses(dst, src tensor.Tensor) bool {
	return dst.Storage().Address() == 0 || src.Storage().Address() == 0
}

// transfer copies between the host and the device, any types and strides, through the staging buffer. The process's side may change
// when it returns. The device's side is contiguous.
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
	d.flush()
	if d.staging.Addr == nil {
		d.staging.Host = d.hostAlloc(stagingBytes)
	}
	if dst.Storage().Address() == 0 {
		d.download(dst, src, n)
	} else {
		d.upload(dst, src, n)
	}
}

// upload copies from the host, through the part of the staging buffer that no copy since the last Sync uses, in pieces of whole rows of the first dimension, or element runs of a contiguous source.
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
		size := int64(m * dst.Type.Size())
		if d.staging.used+size > stagingBytes { // what lies there may still be on its way
			d.fail(d.api.StreamSynchronize(d.stream))
			d.staging.used = 0
		}
		off := d.staging.used
		d.staging.used += (size + 63) &^ 63
		host.Copy(d.staged(dst.Type, m, off), src.Narrow(0, lo, m))
		d.fail(d.api.MemcpyHtoDAsync(at(dst.Narrow(0, lo, m)), unsafe.Add(d.staging.Addr, off), size, d.stream))
	}
}

// download copies to the host.
func (d *device) download(dst, src tensor.Tensor, n int) {
	d.fail(d.api.StreamSynchronize(d.stream))
	d.staging.used = 0
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
		host.Copy(flat.Narrow(0, lo, m), d.staged(src.Type, m, 0))
	}
	if !dst.Contiguous() {
		host.Copy(dst, to)
	}
}

// staged is the staging buffer from a byte on as a tensor.
func (d *device) staged(t dtype.Type, n int, off int64) tensor.Tensor {
	return tensor.Of(tensor.Shared(t, n, unsafe.Add(d.staging.Addr, off), uint64(d.staging.Dev)+uint64(off)), 0, n)
}
