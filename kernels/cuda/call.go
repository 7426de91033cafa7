package cuda

import (
	"artel/kernels/cuda/driver"
	"artel/tensor"

	"github.com/pkg/errors"
)

// call is a launch in the making: the parameters of a kernel, one behind the other.
type call struct {
	d *device
	k *kernel
}

// op begins a launch of a kernel of a module. Launches are made one at a time, so that packing allocates nothing.
func (d *device) op(module, name string) call {
	d.fresh()
	return call{d, d.kernel(module, name)}
}

// ptr adds the address of a tensor's first element, 0 for none.
func (c call) ptr(t tensor.Tensor) call {
	c.d.args.Ptr(c.d.address(t))
	return c
}

// mat adds a matrix, or a vector as one row: address and row stride.
func (c call) mat(t tensor.Tensor) call {
	ld := t.Stride(0)
	if t.Rank() == 1 {
		ld = t.Dim(0)
	}
	c.d.args.Ptr(c.d.address(t)).I64(ld)
	return c
}

// optional adds a matrix that may be none.
func (c call) optional(t tensor.Tensor) call {
	if !t.Ok() {
		c.d.args.Ptr(0).I64(0)
		return c
	}
	return c.mat(t)
}

// column adds a vector as a matrix of one column.
func (c call) column(t tensor.Tensor) call {
	c.d.args.Ptr(c.d.address(t)).I64(1)
	return c
}

// view adds a matrix of any strides.
func (c call) view(t tensor.Tensor) call {
	r := t.Rank()
	c.d.args.Ptr(c.d.address(t)).I64(t.Stride(r - 2)).I64(t.Stride(r - 1))
	return c
}

// four adds up to four sizes or strides, filled up in front.
func (c call) four(of func(i int) int, rank, fill int) call {
	for i := range 4 {
		if i < 4-rank {
			c.d.args.I64(fill)
		} else {
			c.d.args.I64(of(i - 4 + rank))
		}
	}
	return c
}

// dest adds the destinations dst [G,M,...] of gradients and their flags [G,M]; tasks that share one destination count once.
func (c call) dest(dst, touched tensor.Tensor) call {
	tasks := dst.Dim(1)
	if dst.Stride(1) == 0 {
		tasks = 1
	}
	c.d.args.Ptr(c.d.address(dst)).I64(dst.Stride(0)).I64(dst.Stride(1)).Ptr(c.d.address(touched)).I64(touched.Stride(0)).I64(touched.Stride(1)).I32(tasks).I32(0)
	return c
}

// cells is the number of destinations.
func cells(dst tensor.Tensor) int {
	if dst.Stride(1) == 0 {
		return dst.Dim(0)
	}
	return dst.Dim(0) * dst.Dim(1)
}

func (c call) i64(v ...int) call {
	for _, x := range v {
		c.d.args.I64(x)
	}
	return c
}

func (c call) i32(v ...int) call {
	for _, x := range v {
		c.d.args.I32(x)
	}
	return c
}

func (c call) f32(v ...float64) call {
	for _, x := range v {
		c.d.args.F32(float32(x))
	}
	return c
}

func (c call) f64(v float64) call {
	c.d.args.F64(v)
	return c
}

func (c call) u64(v uint64) call {
	c.d.args.U64(v)
	return c
}

func (c call) raw(p driver.Ptr) call {
	c.d.args.Ptr(p)
	return c
}

func (c call) flag(v bool) call {
	if v {
		return c.i32(1)
	}
	return c.i32(0)
}

// threadsPerBlock is the size of all blocks.
const threadsPerBlock = 256

// over launches at least n threads.
func (c call) over(n int) { c.blocks((n + threadsPerBlock - 1) / threadsPerBlock) }

// warps launches at least n warps.
func (c call) warps(n int) { c.over(32 * n) }

// one launches a single thread.
func (c call) one() { c.start(1, 1) }

// blocks launches n blocks, none for n = 0.
func (c call) blocks(n int) { c.start(n, threadsPerBlock) }

// largest caps grids; kernels stride over what is beyond.
const largest = 1 << 16

func (c call) start(n int, threads uint32) {
	if n > 0 && c.d.err == nil { // after an error addresses may be wrong
		c.d.run(c.k, driver.Dim3{X: uint32(min(n, largest)), Y: 1, Z: 1}, driver.Dim3{X: threads, Y: 1, Z: 1}, 0)
	}
}

// address is where a tensor's first element lies on the device, 0 for no tensor.
func (d *device) address(t tensor.Tensor) driver.Ptr {
	if t.Ok() && t.Storage().Address() == 0 {
		d.fail(errors.Errorf("cuda: %v is in memory that only the host reaches", t))
	}
	return at(t)
}

// temporary returns scratch of n bytes that lasts until the next op asks for some.
func (d *device) temporary(n int) driver.Ptr {
	if need := int64(n); need > d.room {
		defer d.enter()()
		size := need + need/4
		p, err := d.api.MemAlloc(size)
		if err != nil {
			d.fail(err)
			return 0
		}
		if d.scratch != 0 {
			d.retire(d.scratch) // freed at a time when nothing uses it any more
		}
		d.blocks = append(d.blocks, p)
		d.scratch, d.room = p, size
	}
	return d.scratch
}

// rows and cols of a matrix, or of a vector as one row.
func rows(t tensor.Tensor) int {
	if t.Rank() == 1 {
		return 1
	}
	return t.Dim(0)
}

func cols(t tensor.Tensor) int { return t.Dim(t.Rank() - 1) }
