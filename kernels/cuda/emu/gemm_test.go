package emu_test

import (
	"encoding/binary"
	"math"
	"testing"

	"artel/kernels/cuda/driver"
	"artel/kernels/cuda/emu"
)

// grouped is a problem for the grouped matrix products: C[e] = A[e] B[e]^T in bf16.
type grouped struct {
	rows         []int // of each expert
	n, k         int
	a, b         []uint16 // [sum of rows, k], [experts, n, k]
	offsets      []int32
	expert, row0 []int32 // of each tile of 128 rows
}

func brains(n int, seed uint64) []uint16 {
	out := make([]uint16, n)
	for i, v := range randoms(n, seed) {
		out[i] = uint16(math.Float32bits(float32(brain(float64(v)))) >> 16)
	}
	return out
}

func newGrouped(rows []int, n, k int) *grouped {
	g := &grouped{rows: rows, n: n, k: k, offsets: []int32{0}}
	total := int32(0)
	for e, r := range rows {
		for t := 0; t < r; t += 128 {
			g.expert = append(g.expert, int32(e))
			g.row0 = append(g.row0, total+int32(t))
		}
		total += int32(r)
		g.offsets = append(g.offsets, total)
	}
	g.a, g.b = brains(int(total)*k, 21), brains(len(rows)*n*k, 22)
	return g
}

func value(h uint16) float64 { return float64(math.Float32frombits(uint32(h) << 16)) }

// check compares with float64. The error is that of one rounding to bf16 and of k float32 additions.
func (g *grouped) check(t *testing.T, got []byte) {
	t.Helper()
	r := 0
	for e, rows := range g.rows {
		for range rows {
			for j := range g.n {
				var want, size float64
				for p := range g.k {
					v := value(g.a[r*g.k+p]) * value(g.b[(e*g.n+j)*g.k+p])
					want += v
					size += math.Abs(v)
				}
				c := value(binary.LittleEndian.Uint16(got[2*(r*g.n+j):]))
				if tol := math.Abs(want)/256 + size*float64(g.k)*0x1p-24; math.Abs(c-want) > tol || c != c {
					t.Fatalf("row %d of expert %d, column %d: got %v, want %v within %v", r, e, j, c, want, tol)
				}
			}
			r++
		}
	}
}

func TestGroupedGEMM80(t *testing.T) {
	r := newRig(t, emu.Options{Sanitize: true, Profile: true, Capability: 80})
	m := r.load("gemm_sm80.sm_80.ptx")
	g := newGrouped([]int{130, 0, 5}, 72, 160)
	out := make([]byte, 135*g.n*2)
	c := r.alloc(len(out))
	counts := r.launch(r.fn(m, "grouped_gemm_bf16_sm80"), d2((g.n+127)/128, len(g.expert)), d1(256), 4*(128+128)*64,
		r.put(g.a), r.put(g.b), c, r.put(g.offsets), r.put(g.expert), r.put(g.row0), g.n, g.k)
	if err := r.dev.CopyOut(out, c); err != nil {
		t.Fatal(err)
	}
	g.check(t, out)
	if want := uint64(2 * 128 * 128 * g.k * len(g.expert)); counts.TensorFLOPs != want {
		t.Errorf("%d tensor FLOPs, want %d", counts.TensorFLOPs, want)
	}
	// The sketch's swizzle is free of conflicts.
	if n := counts.BankConflicts(); n != 0 {
		t.Errorf("%d bank conflicts, want none", n)
	}
}

func TestGroupedGEMM90(t *testing.T) {
	r := newRig(t, emu.Options{Sanitize: true, Profile: true, Capability: 90})
	m := r.load("gemm_sm90a.sm_90a.ptx")
	// One tile is whole and stored by TMA, the others are cut.
	g := newGrouped([]int{128, 0, 5}, 136, 320)
	rows := 133
	out := make([]byte, rows*g.n*2)
	a, b, c := r.put(g.a), r.put(g.b), r.alloc(len(out))
	tensor := func(p emu.Ptr, rows, cols, boxRows, boxCols int, swizzle driver.Swizzle) []byte {
		d := &driver.Tiled{Type: driver.BF16, Rank: 2, Base: driver.Ptr(p), Dims: [5]uint64{uint64(cols), uint64(rows)}, Strides: [4]uint64{uint64(2 * cols)},
			Box: [5]uint32{uint32(boxCols), uint32(boxRows)}, Steps: [5]uint32{1, 1}, Swizzle: swizzle}
		if err := d.Check(); err != nil {
			t.Fatal(err)
		}
		m := emu.EncodeTiled(d)
		return m[:]
	}
	counts := r.launch(r.fn(m, "grouped_gemm_bf16_sm90a"), d2((g.n+127)/128, len(g.expert)), d1(384), 4*(128+128)*64*2,
		tensor(a, rows, g.k, 128, 64, driver.Swizzle128), tensor(b, 3*g.n, g.k, 128, 64, driver.Swizzle128), tensor(c, rows, g.n, 64, 128, driver.NoSwizzle),
		c, r.put(g.offsets), r.put(g.expert), r.put(g.row0), g.n, g.k)
	if err := r.dev.CopyOut(out, c); err != nil {
		t.Fatal(err)
	}
	g.check(t, out)
	if want := uint64(2 * 128 * 128 * g.k * 2 * len(g.expert)); counts.TensorFLOPs != want {
		t.Errorf("%d tensor FLOPs, want %d", counts.TensorFLOPs, want)
	}
}
