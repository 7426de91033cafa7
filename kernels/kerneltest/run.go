package kerneltest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"artel/dtype"
	"artel/internal/tol"
	"artel/kernels"
	"artel/kernels/ref"
	"artel/tensor"
)

// run checks the op of args on the memory of c and returns the storages after the op, in the order of c.bufs; nil when the
// options leave the case out.
func (c *testCase) run(args any) []*tensor.Storage {
	c.s.t.Helper()
	elements := 0
	for _, b := range c.bufs {
		elements += b.st.Len
	}
	if c.s.leftOut(elements) {
		return nil
	}
	got := c.onBackend(args)
	c.compare(got, c.onOracle(args))
	if c.s.halves != 0 {
		c.sameBits(got, c.onFloats(args), "with these as Float")
	}
	if c.s.o.SetWorkers == nil {
		c.sameBits(got, c.onBackend(args), "a second run")
		return got
	}
	for _, n := range []int{2, 3, 8, 1} {
		c.s.o.SetWorkers(n)
		c.sameBits(got, c.onBackend(args), fmt.Sprintf("%d workers", n))
	}
	return got
}

// onBackend runs the op on copies of the case's memory and returns them on the host.
func (c *testCase) onBackend(args any) []*tensor.Storage {
	c.s.t.Helper()
	defer func() {
		if p := recover(); p != nil {
			panic(fmt.Sprintf("case %s: %v", c.name, p)) // a bare panic would not tell the case
		}
	}()
	images := map[*tensor.Storage]*tensor.Storage{}
	for _, b := range c.bufs {
		host := b.st
		if d := c.image(b); d != host.Type {
			host = tensor.NewHost(d, b.st.Len)
			convert(host, b.st)
		}
		images[b.st] = c.s.b.Alloc(host.Type, host.Len)
		c.move(images[b.st], host)
	}
	call(c.s.b, twin(args, func(st *tensor.Storage) *tensor.Storage { return images[st] }))
	if err := c.s.b.Sync(); err != nil {
		c.s.errorf(c, "Sync: %v", err)
	}
	var out []*tensor.Storage
	for _, b := range c.bufs {
		host := tensor.NewHost(c.image(b), b.st.Len)
		c.move(host, images[b.st])
		if host.Type != b.st.Type {
			wide := host
			host = tensor.NewHost(b.st.Type, b.st.Len)
			convert(host, wide)
		}
		out = append(out, host)
	}
	return out
}

// move copies all elements of one storage to another of the same type.
func (c *testCase) move(dst, src *tensor.Storage) {
	if dst.OnHost() && src.OnHost() {
		convert(dst, src)
		return
	}
	if c.s.o.Transfer == nil {
		c.s.b.Copy(kernels.Copy{Dst: tensor.Of(dst, 0, dst.Len), Src: tensor.Of(src, 0, src.Len)})
		return
	}
	if err := c.s.o.Transfer(dst, src); err != nil {
		c.s.t.Fatalf("%s: transfer: %v", c.name, err)
	}
}

// convert copies elements between host storages of equal length, from any type to any.
func convert(dst, src *tensor.Storage) {
	if dst.Type == src.Type {
		copy(raw(dst), raw(src))
		return
	}
	set, get := setter(tensor.Of(dst, 0, dst.Len)), whole(src)
	for i := 0; i < dst.Len; i++ {
		set(i, get(i))
	}
}

// onOracle runs the reference on float64 copies of the case's memory.
func (c *testCase) onOracle(args any) []*tensor.Storage {
	images := map[*tensor.Storage]*tensor.Storage{}
	var out []*tensor.Storage
	for _, b := range c.bufs {
		d := b.st.Type
		if d.Float() && d != dtype.BF16 && !c.typed {
			d = dtype.F64
		}
		images[b.st] = tensor.NewHost(d, b.st.Len)
		convert(images[b.st], b.st)
		out = append(out, images[b.st])
	}
	call(oracle(c.s.b), twin(args, func(st *tensor.Storage) *tensor.Storage { return images[st] }))
	return out
}

// oracle is the living definition of the ops of b.
func oracle(b *kernels.Backend) *kernels.Backend {
	if b.Products == dtype.BF16 {
		return ref.BF16()
	}
	return ref.New()
}

// compare checks every element of every storage after the op.
func (c *testCase) compare(got, want []*tensor.Storage) {
	c.s.t.Helper()
	for n, b := range c.bufs {
		g, w := whole(got[n]), whole(want[n])
		before, after := bits(b.st), bits(got[n])
		scale, limit := c.scale(b, want[n]), tol.Tol{}
		if b.st.Type.Float() && b.k > 0 {
			limit = tol.For(c.s.b.Float, b.k)
		}
		for i, r := range b.role {
			switch r {
			case keeps:
				if after(i) != before(i) {
					c.s.errorf(c, "%s changed from %v to %v", c.place(n, i), whole(b.st)(i), g(i))
				}
			case output:
				if !near(b.st.Type, g(i), w(i), limit, scale) {
					c.s.errorf(c, "%s = %v, want %v (tolerance %.3g, scale %.3g)", c.place(n, i), g(i), w(i), limit.Rel, scale)
				}
			}
		}
	}
}

// whole returns the reader of a storage's elements.
func whole(st *tensor.Storage) func(i int) float64 { return getter(tensor.Of(st, 0, st.Len)) }

// scale is the root mean square of the finite outputs, or what the case declares: errors of a sum go with its terms, of which some sums are much smaller.
func (c *testCase) scale(b *buffer, want *tensor.Storage) float64 {
	w := whole(want)
	var sum, n float64
	for i, r := range b.role {
		if v := roundTo(b.st.Type, w(i)); r == output && !math.IsNaN(v) && !math.IsInf(v, 0) {
			sum += v * v
			n++
		}
	}
	return max(math.Sqrt(sum/max(n, 1)), b.least)
}

// near compares a result of type d with the oracle's value.
func near(d dtype.Type, got, want float64, limit tol.Tol, scale float64) bool {
	want = roundTo(d, want)
	if math.IsNaN(want) || math.IsInf(want, 0) || limit == (tol.Tol{}) {
		return got == want || got != got && want != want
	}
	bound := limit.Rel*max(math.Abs(want), scale) + limit.Abs
	if d == dtype.BF16 { // two numbers that are close may be rounded to neighbours
		bound += math.Abs(want) * 0x1p-7
	}
	return math.Abs(got-want) <= bound
}

// roundTo rounds the oracle's value to the type of the result, which may make it infinite.
func roundTo(d dtype.Type, v float64) float64 {
	if d == dtype.F32 {
		return float64(float32(v))
	}
	return v
}

// sameBits checks that two runs agree in every defined element; NaNs may have other payloads, since rounding to bfloat16 need not preserve them.
func (c *testCase) sameBits(first, again []*tensor.Storage, what string) {
	c.s.t.Helper()
	for n, b := range c.bufs {
		if bytes.Equal(raw(first[n]), raw(again[n])) {
			continue
		}
		x, y, v, w := bits(first[n]), bits(again[n]), whole(first[n]), whole(again[n])
		for i, r := range b.role {
			if r != undefined && x(i) != y(i) && (v(i) == v(i) || w(i) == w(i)) {
				c.s.errorf(c, "%s: %s = %v, was %v", what, c.place(n, i), w(i), v(i))
			}
		}
	}
}

// bits returns the reader of a storage's elements as bit patterns.
func bits(st *tensor.Storage) func(i int) uint64 {
	b := raw(st)
	switch st.Type.Size() {
	case 8:
		return func(i int) uint64 { return binary.NativeEndian.Uint64(b[8*i:]) }
	case 4:
		return func(i int) uint64 { return uint64(binary.NativeEndian.Uint32(b[4*i:])) }
	}
	return func(i int) uint64 { return uint64(binary.NativeEndian.Uint16(b[2*i:])) }
}

// raw returns the memory of a host storage.
func raw(st *tensor.Storage) []byte {
	x := tensor.Of(st, 0, st.Len)
	switch st.Type {
	case dtype.F32:
		return bytesOf(x.F32())
	case dtype.F64:
		return bytesOf(x.F64())
	case dtype.BF16:
		return bytesOf(x.BF16())
	}
	return bytesOf(x.I32())
}

// bytesOf returns the memory of a slice.
func bytesOf[E any](s []E) []byte {
	var e E
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(e)))
}

// place names an element: the op's arguments are allocated in the order of the case's text.
func (c *testCase) place(buf, i int) string {
	return fmt.Sprintf("tensor %d (%v, %d elements with guards) at %d", buf, c.bufs[buf].st.Type, c.bufs[buf].st.Len, i)
}
