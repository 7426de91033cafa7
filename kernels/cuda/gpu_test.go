package cuda_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cuda"
	"artel/kernels/cuda/emu"
	"artel/kernels/kerneltest"
	"artel/rng"
	"artel/tensor"
)

// gpuEnv names the device, such as cuda:0, that tests with GPU in their names run on; scripts/gpu-check sets it.
const gpuEnv = "ARTEL_GPU"

func gpu(t testing.TB, products dtype.Type) *kernels.Backend {
	t.Helper()
	name := os.Getenv(gpuEnv)
	if name == "" {
		t.Skipf("%s names no device", gpuEnv)
	}
	be, why, err := cuda.Open(name, products)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(why)
	return be
}

// TestGPUConformance compares every op on the device with its definition, all cases, and products again on tensor cores.
func TestGPUConformance(t *testing.T) {
	kerneltest.RunWith(t, gpu(t, dtype.F32), kerneltest.Options{RequireAll: true})
	t.Run("bf16", func(t *testing.T) {
		kerneltest.RunWith(t, onlyProducts(gpu(t, dtype.BF16)), kerneltest.Options{})
	})
}

// TestGPURepeats runs products, sums and a plan many times on the device and wants the same bits each time.
func TestGPURepeats(t *testing.T) {
	for _, products := range []dtype.Type{dtype.F32, dtype.BF16} {
		repeats(t, gpu(t, products), 1000, 2048)
	}
}

// TestEmulatedRepeats is TestGPURepeats in small.
func TestEmulatedRepeats(t *testing.T) {
	for _, products := range []dtype.Type{dtype.F32, dtype.BF16} {
		be, _ := emulated(t, emu.Options{}, products)
		repeats(t, be, 2, 32)
	}
}

// routed is a batch of routed rows with everything that the ops of a mixture read.
type routed struct {
	be            *kernels.Backend
	plan          kernels.Plan
	index, segs   tensor.Tensor
	x, up, h, out tensor.Tensor
	dst, touched  tensor.Tensor
}

// newRouted draws rows for e experts, k picks a row, from a fixed seed; widths d and f; rows belong to two tasks.
func newRouted(be *kernels.Backend, rows, d, f, e, k int) *routed {
	s := rng.New(7)
	operand := be.Float
	if be.Halves {
		operand = dtype.BF16
	}
	random := func(shape ...int) tensor.Tensor {
		h, x := tensor.New(dtype.F32, shape...), be.New(operand, shape...)
		for i, v := 0, h.F32(); i < len(v); i++ {
			v[i] = float32(s.Block(1, uint64(i))[0])/(1<<32) - 0.5
		}
		be.Copy(kernels.Copy{Dst: x, Src: h})
		return x
	}
	ints := func(shape ...int) tensor.Tensor { return be.New(dtype.I32, shape...) }
	r := &routed{be: be, index: be.NewShared(dtype.I32, rows, k), segs: be.NewShared(dtype.I32, 2, kernels.SegCols)}
	for i, v := 0, r.index.I32(); i < rows; i++ {
		first := int(s.Block(2, uint64(i))[0] % uint32(e))
		for j := range k {
			v[i*k+j] = int32((first + j*max(1, e/k)) % e)
		}
	}
	half := rows / 2
	copy(r.segs.I32(), []int32{0, 0, 0, 0, int32(half), 0, 1, int32(half), int32(half), int32(rows - half)})
	r.plan = kernels.Plan{T: rows, K: k, E: e, C: rows, Off: ints(e + 1), Token: ints(rows * k), Slot: ints(rows * k), Inv: ints(rows, k), Count: ints(e + 1), Segs: ints(2*e, kernels.SegCols)}
	r.plan.COff, r.plan.CToken, r.plan.CInv = r.plan.Off, r.plan.Token, r.plan.Inv
	r.x, r.up = random(rows, d), random(e, d, f)
	r.h, r.out = be.New(dtype.F32, rows*k, f), be.New(dtype.F32, rows, f)
	r.dst, r.touched = be.New(dtype.F32, e, 2, d, f), be.NewShared(dtype.I32, e, 2)
	return r
}

// run routes, multiplies, sums back, and makes the gradient of the weights by expert and task.
func (r *routed) run() {
	r.route()
	r.product()
	r.be.GatherSum(kernels.GatherSum{Dst: r.out, Src: r.h, Inv: r.plan.Inv})
	r.be.Fill(r.touched, 0)
	r.be.GradW(kernels.GradW{X: r.x, XIndex: r.plan.Token, DY: r.h, Segs: r.plan.Segs, Dst: r.dst, Touched: r.touched})
}

func (r *routed) route() {
	r.be.RoutePlan(kernels.RoutePlan{Plan: &r.plan, Index: r.index, TokenSegs: r.segs})
}

func (r *routed) product() {
	r.be.GroupedGEMM(kernels.GroupedGEMM{A: r.x, Index: r.plan.Token, B: r.up, C: r.h, Off: r.plan.Off})
}

func repeats(t *testing.T, be *kernels.Backend, n, rows int) {
	r := newRouted(be, rows, 64, 96, 8, 2) // wide enough for warpgroups
	var first []float32
	for i := range n {
		r.run()
		var got []float32
		for _, x := range []tensor.Tensor{r.out, r.dst} {
			h := tensor.New(dtype.F32, x.Shape()...)
			be.Copy(kernels.Copy{Dst: h, Src: x})
			got = append(got, h.F32()...)
		}
		if err := be.Sync(); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = got
		} else if !slices.Equal(first, got) {
			t.Fatalf("repeat %d gave other bits", i)
		}
	}
}

// peerShapes are up-projections of layers that others time as a whole; benchmarks/gpulayer does that too and has their figures.
var peerShapes = []struct {
	name          string
	t, d, n, e, k int
}{
	{"7B-n256", 24576, 1536, 256, 128, 8},
	{"7B-n1024", 24576, 1536, 1024, 32, 2},
	{"120B-n512", 32768, 4096, 512, 256, 16},
	{"120B-n2048", 32768, 4096, 2048, 64, 4},
}

// TestGPUGroupedGEMM prints the speed of the grouped product alone, with operands in memory as they are in training.
func TestGPUGroupedGEMM(t *testing.T) {
	for _, products := range []dtype.Type{dtype.F32, dtype.BF16} {
		be := gpu(t, products)
		for _, s := range peerShapes {
			if gib := float64(s.t*s.k*2*s.n+s.e*s.d*2*s.n*3) * 4 / (1 << 30); gib > 60 {
				t.Logf("%s: left out, needs %.0f GiB", s.name, gib)
				continue
			}
			speed(t, be, s.name, s.t, s.d, 2*s.n, s.e, s.k)
		}
	}
}

// TestEmulatedSpeed checks the code of TestGPUGroupedGEMM in small.
func TestEmulatedSpeed(t *testing.T) {
	be, _ := emulated(t, emu.Options{}, dtype.F32)
	speed(t, be, "small", 24, 16, 24, 4, 2)
}

func speed(t *testing.T, be *kernels.Backend, name string, rows, d, f, e, k int) {
	r := newRouted(be, rows, d, f, e, k)
	r.route()
	r.product()
	if err := be.Sync(); err != nil {
		t.Fatal(err)
	}
	const times = 5
	start := time.Now()
	for range times {
		r.product()
	}
	if err := be.Sync(); err != nil {
		t.Fatal(err)
	}
	took := time.Since(start).Seconds() / times
	t.Logf("%-12s %v: %8.3f ms, %7.2f TFLOP/s", name, products(be), took*1e3, 2*float64(rows*k)*float64(d)*float64(f)/took/1e12)
}

func products(be *kernels.Backend) string {
	if be.Products == dtype.BF16 {
		return "bf16"
	}
	return fmt.Sprint(be.Float)
}
