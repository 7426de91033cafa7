package emu_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/emu"
)

// side is an operand of testdata/tensor.cu: rows of M or N, 64 columns of K (32 for four-byte elements), in a layout of shared memory.
type side struct {
	rows, k, size int // size of an element in bytes
	trans         bool
	swizzle       driver.Swizzle
}

// plan returns the boxes to load and the descriptors' parts, from the canonical layouts of the PTX manual.
func (s side) plan() (box [2]uint32, bytes []byte) {
	pieces := 1 // of 16 bytes in a row of a box
	if s.swizzle != driver.NoSwizzle {
		pieces = 1 << s.swizzle
	}
	wide := pieces * 16 / s.size // elements of a row of a box
	var boxes, dx, dy, boxBytes, lead, stride int
	start := make([]int, 8)
	if s.trans { // memory is [k, rows]: a box holds all k of some rows
		box = [2]uint32{uint32(wide), uint32(s.k)}
		boxes, dx, boxBytes = s.rows/wide, wide, s.k*16*pieces
		lead, stride = boxBytes, 128*pieces
		if pieces == 1 {
			lead, stride = stride, lead
		}
		for i := range start {
			start[i] = i * 16 * 16 * pieces
		}
	} else { // memory is [rows, k]: a box holds all rows of some k
		box = [2]uint32{uint32(wide), uint32(s.rows)}
		boxes, dx, boxBytes = s.k/wide, wide, s.rows*16*pieces
		lead, stride = boxBytes, 128*pieces
		for i := range start {
			b := i * 32 // bytes along k before the step
			start[i] = b/(16*pieces)*boxBytes + b%(16*pieces)
		}
	}
	high := uint64(lead/16)<<16 | uint64(stride/16)<<32 | [4]uint64{0, 3, 2, 1}[s.swizzle]<<62
	le := binary.LittleEndian
	for _, v := range []int{boxes, boxBytes, dx, dy} {
		bytes = le.AppendUint32(bytes, uint32(v))
	}
	for _, v := range start {
		bytes = le.AppendUint32(bytes, uint32(v))
	}
	return box, le.AppendUint64(bytes, high)
}

// tensor is the operand's tensor map; its data lie at p.
func (s side) tensor(t *testing.T, p emu.Ptr, elem driver.Element) []byte {
	box, _ := s.plan()
	w, h := s.k, s.rows
	if s.trans {
		w, h = h, w
	}
	d := &driver.Tiled{Type: elem, Rank: 2, Base: driver.Ptr(p), Dims: [5]uint64{uint64(w), uint64(h)}, Strides: [4]uint64{uint64(w * s.size)},
		Box: [5]uint32{box[0], box[1]}, Steps: [5]uint32{1, 1}, Swizzle: s.swizzle}
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	m := emu.EncodeTiled(d)
	return m[:]
}

// at returns the index of row r and column c of K.
func (s side) at(r, c int) int {
	if s.trans {
		return c*s.rows + r
	}
	return r*s.k + c
}

// runLayout multiplies 64 x K by 128 x K and compares with float64.
func runLayout(t *testing.T, r *rig, kernel string, m *emu.Module, elem driver.Element, a, b side, sign float64) {
	t.Helper()
	x, y := brains(64*a.k, 31), brains(128*b.k, 32)
	var pa, pb emu.Ptr
	switch elem {
	case driver.BF16:
		pa, pb = r.put(x), r.put(y)
	case driver.F16, driver.F32:
		// Small integers are exact in every format.
		fa, fb := make([]float32, len(x)), make([]float32, len(y))
		for i := range x {
			fa[i] = float32(i*7%19 - 9)
			x[i] = uint16(math.Float32bits(fa[i]) >> 16)
		}
		for i := range y {
			fb[i] = float32(i*5%23 - 11)
			y[i] = uint16(math.Float32bits(fb[i]) >> 16)
		}
		if elem == driver.F32 {
			pa, pb = r.put(fa), r.put(fb)
		} else {
			pa, pb = r.put(halves(fa)), r.put(halves(fb))
		}
	}
	out := make([]float32, 64*128)
	p := r.alloc(4 * len(out))
	_, sa := a.plan()
	_, sb := b.plan()
	r.launch(r.fn(m, kernel), d1(1), d1(128), 49152, a.tensor(t, pa, elem), b.tensor(t, pb, elem), sa, sb, p)
	r.get(p, out)
	for i := range 64 {
		for j := range 128 {
			var want float64
			for k := range a.k {
				want += sign * value(x[a.at(i, k)]) * value(y[b.at(j, k)])
			}
			near(t, fmt.Sprintf("D[%d,%d]", i, j), float64(out[i*128+j]), want, 1e-5)
		}
	}
}

// halves converts small integers to f16.
func halves(v []float32) []uint16 {
	out := make([]uint16, len(v))
	for i, x := range v {
		if x != 0 {
			f, e := math.Frexp(math.Abs(float64(x)))
			out[i] = uint16(e+14)<<10 | uint16(f*2048)&1023
			if x < 0 {
				out[i] |= 1 << 15
			}
		}
	}
	return out
}

func TestWGMMALayouts(t *testing.T) {
	r := newRig(t, emu.Options{Sanitize: true})
	m := r.load("tensor.sm_90a.ptx")
	for _, ta := range []bool{false, true} {
		for _, tb := range []bool{false, true} {
			for swizzle := driver.NoSwizzle; swizzle <= driver.Swizzle128; swizzle++ {
				kernel := fmt.Sprintf("product_%d%d", btoi(ta), btoi(tb))
				t.Run(fmt.Sprintf("%s swizzle %d", kernel, swizzle), func(t *testing.T) {
					r := &rig{t, r.dev}
					runLayout(t, r, kernel, m, driver.BF16, side{64, 64, 2, ta, swizzle}, side{128, 64, 2, tb, swizzle}, 1)
				})
			}
		}
	}
	plain := func(size int) (side, side) {
		return side{64, 128 / size, size, false, driver.Swizzle128}, side{128, 128 / size, size, false, driver.Swizzle128}
	}
	a, b := plain(2)
	runLayout(t, r, "product_registers", m, driver.BF16, a, b, 1)
	runLayout(t, r, "product_f16_negative", m, driver.F16, a, b, -1)
	a, b = plain(4)
	runLayout(t, r, "product_tf32", m, driver.F32, a, b, 1)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
