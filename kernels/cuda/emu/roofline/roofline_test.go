package roofline_test

import (
	"math"
	"strings"
	"testing"

	"artel/kernels/cuda/emu"
	"artel/kernels/cuda/emu/roofline"
)

// TestOccupancy compares with the vendor's header-only calculator, run on these figures.
func TestOccupancy(t *testing.T) {
	m := roofline.Machines()
	for _, c := range []struct {
		machine, regs, shared, threads, blocks int
		filled                                 float64
	}{
		{0, 126, 64 << 10, 256, 2, 0.25},
		{1, 168, 1024 + 128<<10, 384, 1, 0.1875},
		{0, 40, 0, 256, 6, 0.75},
		{0, 64, 1152, 256, 4, 0.5},
	} {
		blocks, filled, limit := m[c.machine].Occupancy(c.regs, c.shared, c.threads)
		if blocks != c.blocks || filled != c.filled {
			t.Errorf("%+v: got %d blocks, %v of the warps, limited by %s", c, blocks, filled, limit)
		}
	}
}

// TestEstimate has counts whose times are known: half the tensor rate's work in one second on all multiprocessors.
func TestEstimate(t *testing.T) {
	m := roofline.Machines()[1]
	c := emu.Counters{Blocks: uint64(2 * m.SMs), TensorFLOPs: 989e12 / 2, Footprint: 335e9}
	e := m.Estimate(&c)
	if b := e.Bound(); b.Unit != "tensor cores" || math.Abs(b.Seconds-0.5) > 1e-9 {
		t.Errorf("got %+v", e.Parts)
	}
	if p := e.Parts[1]; p.Unit != "device memory" || math.Abs(p.Seconds-0.1) > 1e-9 {
		t.Errorf("got %+v", e.Parts)
	}
	// One block uses one multiprocessor.
	c.Blocks = 1
	if b := m.Estimate(&c).Parts[0]; math.Abs(b.Seconds-0.5*float64(m.SMs)) > 1e-6 {
		t.Errorf("got %+v", b)
	}
}

func TestAssembler(t *testing.T) {
	s, err := roofline.ParseAssembler(`ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'gram8' for 'sm_80'
ptxas info    : Function properties for gram8
    8 bytes stack frame, 12 bytes spill stores, 16 bytes spill loads
ptxas info    : Used 64 registers, used 1 barriers, 1152 bytes smem, 400 bytes cmem[0]
`)
	if err != nil || len(s) != 1 || s[0] != (roofline.Static{Kernel: "gram8", Arch: "sm_80", Registers: 64, Stack: 8, SpillStores: 12, SpillLoads: 16, Shared: 1152}) {
		t.Errorf("got %+v, %v", s, err)
	}
	s, err = roofline.ParseAssembler("a.cu noise\n    0 bytes stack frame, 0 bytes spill stores, 4 bytes spill loads\n    32 registers, used 0 barriers, 408 bytes cmem[0]\n    90 instructions in the main loop, 32 of tensor cores\n")
	if err != nil || len(s) != 1 || s[0] != (roofline.Static{File: "a.cu", Kernel: "noise", Registers: 32, SpillLoads: 4, Loop: 90, Tensor: 32}) {
		t.Errorf("got %+v, %v", s, err)
	}
	if _, err := roofline.ParseAssembler("Compiling entry function 'k' for 'sm_80'\n"); err == nil {
		t.Error("an entry without registers is accepted")
	}
}

func TestReport(t *testing.T) {
	var b strings.Builder
	c := emu.Counters{Blocks: 4, Threads: 100, GlobalRequests: 2, GlobalSectors: 8, Footprint: 1000, SharedWavefronts: 4, SharedIdeal: 3, TensorFLOPs: 4e9}
	c.ByClass[emu.Float32] = 60000
	k := roofline.Work{Op: "GEMM", File: "linear.cu", Kernel: "k", Minimum: 1000, FLOPs: 6e9}
	k.Add(1, c)
	k.Add(2, c)
	k.Touched = k.Counters.Footprint
	// Two turns of four blocks: 4e9 FLOP on one multiprocessor's share each.
	m := roofline.Machines()[1]
	if p, want := k.Bound(1), 2*1e9*float64(m.SMs)/(m.Tensor*1e12); p.Unit != "tensor cores" || math.Abs(p.Seconds/want-1) > 1e-9 {
		t.Errorf("bound %+v, want %v", p, want)
	}
	if got, want := k.TensorShare(1), 3./float64(m.SMs); math.Abs(got/want-1) > 1e-9 {
		t.Errorf("share of the peak %v, want %v", got, want)
	}
	if err := roofline.Report(&b, []roofline.Work{k}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| GEMM | linear.k | 3 | 8 | 200 | 8, 75 |", "| 4.0 | 0.002 / 2.00 | 25.0 |", "| float32 |", "| 120 |", "H200-SXM us", "tensor cores | 2.3 |"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestStaticReport(t *testing.T) {
	var b strings.Builder
	work := roofline.Work{File: "a.cu", Kernel: "k", Threads: 256, BlockShared: 64 << 10}
	said := []roofline.Static{{File: "b.cu", Kernel: "k", Registers: 40}, {File: "a.cu", Kernel: "k", Registers: 126, SpillLoads: 8, Loop: 200, Tensor: 64}}
	if err := roofline.StaticReport(&b, []roofline.Work{work, work, {File: "a.cu", Kernel: "unheard"}}, said); err != nil {
		t.Fatal(err)
	}
	if want := "| a.k | 126 | 8 | 65536 | 256 | 64 of 200, 32 % | 2, 25, registers |"; strings.Count(b.String(), want) != 1 || strings.Contains(b.String(), "unheard") {
		t.Errorf("not once %q in\n%s", want, b.String())
	}
}
