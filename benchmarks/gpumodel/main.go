// Command gpumodel runs CUDA kernels in the emulator on scaled-down model sizes and prints what they did and what bounds them on real devices: benchmarks/GPU-MODEL.md.
//
//	go run ./gpumodel [-rows 1024] [-width 256] [-experts 8] [-report ../kernels/cuda/zreport.txt]
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"slices"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cuda"
	"artel/kernels/cuda/emu"
	"artel/kernels/cuda/emu/provider"
	"artel/kernels/cuda/emu/roofline"
	"artel/rng"
	"artel/tensor"
)

// bench holds the backend and draws its operands.
type bench struct {
	be  *kernels.Backend
	drv *provider.Driver
	rnd rng.Stream
	out []roofline.Launches
}

func main() {
	rows := flag.Int("rows", 1024, "rows of activations")
	width := flag.Int("width", 256, "width of the model; experts are twice as wide")
	experts := flag.Int("experts", 8, "experts")
	report := flag.String("report", "../kernels/cuda/zreport.txt", "what the assembler said about the kernels")
	flag.Parse()
	said, err := os.ReadFile(*report)
	if err != nil {
		log.Fatal(err)
	}
	static, err := roofline.ParseAssembler(string(said))
	if err != nil {
		log.Fatal(err)
	}
	drv := provider.New(emu.Options{Profile: true})
	be, why, err := cuda.OpenOn(drv.API(), 0, dtype.F32)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(why + "\n")
	b := &bench{be: be, drv: drv, rnd: rng.New(1)}
	n, d, f, e := *rows, *width, 2**width, *experts
	x, y, w := b.random(n, d), b.random(n, f), b.random(d, f)
	b.run("gemm", 4*(n*d+n*f+d*f), func() { be.GEMM(kernels.GEMM{A: x, B: w, C: y}) })
	off := b.ints(e+1, func(i int) int { return i * n / e })
	bank := b.random(e, d, f)
	b.run("grouped gemm", 4*(n*d+n*f+e*d*f), func() { be.GroupedGEMM(kernels.GroupedGEMM{A: x, B: bank, C: y, Off: off}) })
	scores, probabilities := b.random(n, e), b.random(n, e)
	b.run("softmax of scores", 8*n*e, func() { be.Softmax(kernels.Softmax{X: scores, Y: probabilities}) })
	index, picked := tensor.Of(be.Alloc(dtype.I32, 2*n), 0, n, 2), b.random(n, 2)
	b.run("top-2", 4*n*e+16*n, func() { be.TopK(kernels.TopK{X: probabilities, Index: index, Value: picked}) })
	norm, rstd := b.random(n, d), b.random(n)
	b.run("rms norm", 8*n*d, func() { be.RMSNorm(kernels.RMSNorm{X: x, Y: norm, RStd: rstd, Eps: 1e-5}) })
	p := n * d
	j, g := b.random(4, p), tensor.Of(be.Alloc(dtype.F64, 16), 0, 4, 4)
	present := b.ints(4, func(int) int { return 1 })
	b.run("gram of 4 tasks", 16*p, func() { be.Gram(kernels.Gram{J: j, Present: present, G: g}) })
	params, grad, m := b.random(p), b.random(p), b.random(p)
	v := tensor.Of(be.Alloc(dtype.F32, p), 0, p)
	b.run("adamw", 28*p, func() {
		be.Adam(kernels.Adam{P: params, G: grad, M: m, V: v, LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.01, Scale: 1, Step: 1, Decoupled: true})
	})
	if err := roofline.Report(os.Stdout, b.out); err != nil {
		log.Fatal(err)
	}
	var used []roofline.Resources
	for _, k := range drv.Kernels() {
		if i := slices.IndexFunc(static, func(s roofline.Static) bool { return s.Kernel == k.Name }); i >= 0 {
			used = append(used, roofline.Resources{Static: static[i], Threads: k.Threads, BlockShared: k.Shared})
		}
	}
	fmt.Println()
	if err := roofline.StaticReport(os.Stdout, used); err != nil {
		log.Fatal(err)
	}
}

// run executes an op and notes what its kernels did; minimum is the bytes it must move.
func (b *bench) run(name string, minimum int, op func()) {
	before := map[string]emu.Counters{}
	for _, k := range b.drv.Kernels() {
		before[k.Name] = k.Counters
	}
	op()
	if err := b.be.Sync(); err != nil {
		log.Fatalf("%s: %v", name, err)
	}
	for _, k := range b.drv.Kernels() {
		if c := k.Counters.Since(before[k.Name]); c.Blocks > 0 {
			b.out = append(b.out, roofline.Launches{Name: name + " (" + k.Name + ")", Counters: c, Minimum: uint64(minimum)})
			// The bytes of the op are the first kernel's; those after it add up small parts.
			minimum = 0
		}
	}
}

// random returns a tensor of normal numbers.
func (b *bench) random(shape ...int) tensor.Tensor {
	n := 1
	for _, s := range shape {
		n *= s
	}
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(b.rnd.Normal())
	}
	return b.upload(tensor.WrapF32(v), shape...)
}

func (b *bench) ints(n int, f func(int) int) tensor.Tensor {
	v := make([]int32, n)
	for i := range v {
		v[i] = int32(f(i))
	}
	return b.upload(tensor.WrapI32(v), n)
}

func (b *bench) upload(host *tensor.Storage, shape ...int) tensor.Tensor {
	dst := b.be.Alloc(host.Type, host.Len)
	b.be.Copy(kernels.Copy{Dst: tensor.Of(dst, 0, host.Len), Src: tensor.Of(host, 0, host.Len)})
	return tensor.Of(dst, 0, shape...)
}
