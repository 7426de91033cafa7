package cpu_test

import (
	"fmt"
	"slices"
	"testing"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cpu"
	"artel/kernels/ref"
	"artel/rng"
	"artel/tensor"
)

// manyParts is a routing of more picks than one worker counts: m tasks own the rows, or share them all.
func manyParts(t, k, e, m, capacity int, shared bool) kernels.RoutePlan {
	ints := func(shape ...int) tensor.Tensor { return tensor.New(dtype.I32, shape...) }
	s, index, segs, c := rng.New(uint64(t+k+e)), ints(t, k), ints(m, kernels.SegCols), t
	for i := range index.I32() {
		index.I32()[i] = int32(s.Intn(e+1) - 1)
	}
	for i := range m {
		first, end := i*t/m, (i+1)*t/m
		row := []int32{0, int32(i), int32(first), int32(first), int32(end - first)}
		if shared {
			row, c = []int32{0, int32(i), 0, int32(i * t), int32(t)}, m*t
		}
		copy(segs.I32()[i*kernels.SegCols:], row)
	}
	p := &kernels.Plan{T: t, K: k, E: e, C: c, Off: ints(e + 1), Token: ints(t * k), Slot: ints(t * k), Inv: ints(t, k), Count: ints(e + 1), Segs: ints(e*m, kernels.SegCols)}
	p.COff, p.CToken, p.CInv = p.Off, p.Token, p.Inv
	if shared {
		p.COff, p.CToken, p.CInv, p.CAct = ints(e+1), ints(c*k), ints(c, k), ints(c*k)
	}
	return kernels.RoutePlan{Plan: p, Index: index, TokenSegs: segs, Capacity: capacity}
}

// TestPlanOfManyParts compares plans that several workers make with their definition, where a part ends within an expert, and where an expert is
// full before a part begins or within it.
func TestPlanOfManyParts(t *testing.T) {
	defer cpu.SetWorkers(0)
	for _, d := range [][4]int{{9000, 2, 3, 3}, {5000, 4, 64, 2}, {2500, 8, 700, 1}} {
		for _, share := range []int{0, 2, 40, 90, 99} { // percent of the picks per expert that it has room for
			for _, shared := range []bool{false, true} {
				capacity := d[0] * d[1] * share / (d[2] + 1) / 100
				name := fmt.Sprintf("%v capacity %d shared %v", d, capacity, shared)
				want := manyParts(d[0], d[1], d[2], d[3], capacity, shared)
				ref.New().RoutePlan(want)
				for _, workers := range []int{1, 2, 5} {
					cpu.SetWorkers(workers)
					b, got := cpu.New(), manyParts(d[0], d[1], d[2], d[3], capacity, shared)
					b.RoutePlan(got)
					samePlan(t, fmt.Sprintf("%s, %d workers", name, workers), got.Plan, want.Plan)
					if n := testing.AllocsPerRun(3, func() { b.RoutePlan(got) }); n > 0 {
						t.Errorf("%s, %d workers: %v allocations", name, workers, n)
					}
				}
			}
		}
	}
}

func samePlan(t *testing.T, name string, got, want *kernels.Plan) {
	t.Helper()
	rows, cots := int(want.Off.I32()[want.E]), int(want.COff.I32()[want.E])
	check := func(what string, a, b tensor.Tensor, n int) {
		t.Helper()
		if !slices.Equal(a.I32()[:n], b.I32()[:n]) {
			t.Fatalf("%s: %s differs", name, what)
		}
	}
	check("Off", got.Off, want.Off, want.E+1)
	check("Count", got.Count, want.Count, want.E+1)
	check("Token", got.Token, want.Token, rows)
	check("Slot", got.Slot, want.Slot, rows)
	check("Inv", got.Inv, want.Inv, want.T*want.K)
	check("Segs", got.Segs, want.Segs, want.Segs.Len())
	check("COff", got.COff, want.COff, want.E+1)
	check("CToken", got.CToken, want.CToken, cots)
	check("CInv", got.CInv, want.CInv, want.C*want.K)
	if want.CAct.Ok() {
		check("CAct", got.CAct, want.CAct, cots)
	}
}
