package cuda

import (
	"unsafe"

	"artel/dtype"
	"artel/kernels/cuda/driver"
	"artel/kernels/internal/host"
	"artel/tensor"
)

// Transfers pass through a page-locked buffer of stagingParts parts of stagingBytes.
const (
	stagingBytes = 4 << 20
	stagingParts = 3
)

// staging is page-locked memory whose parts take turns: the bytes that copies under way may still read stay as they are.
type staging struct {
	driver.Host
	part    int
	used    int64                // of the part
	tickets [stagingParts]uint64 // of the copies out of a part
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
	if d.staging.Addr == nil {
		d.flush()
		d.staging.Host = d.hostAlloc(stagingParts * stagingBytes)
	}
	if dst.Storage().Address() == 0 {
		d.download(dst, src, n)
	} else {
		d.upload(dst, src, n)
	}
}

// upload copies from the host, in pieces that fit the staging buffer.
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
		off := d.stage(size)
		host.Copy(d.staged(dst.Type, m, off), src.Narrow(0, lo, m))
		d.record(uploadWork)
		d.fail(d.api.MemcpyHtoDAsync(at(dst.Narrow(0, lo, m)), unsafe.Add(d.staging.Addr, off), size, d.stream))
	}
}

// stage returns the place of size bytes in the staging buffer that nothing under way reads.
func (d *device) stage(size int64) (off int64) {
	s := &d.staging
	if s.used+size > stagingBytes {
		s.tickets[s.part] = d.tickets.issued + 1 // the next one covers what was queued from here
		s.part, s.used = (s.part+1)%stagingParts, 0
		if s.tickets[s.part] > d.tickets.issued {
			d.submit()
		}
		d.fail(d.wait(s.tickets[s.part]))
	}
	off = int64(s.part)*stagingBytes + s.used
	s.used += (size + 63) &^ 63
	return off
}

// download copies to the host.
func (d *device) download(dst, src tensor.Tensor, n int) {
	d.flush()
	d.idle()
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
