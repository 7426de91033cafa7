// Command kernels times matrix products: speed, and share of what the processor can do at most (measured between the repetitions).
// Shapes as in the PyTorch comparison, and weight gradients of banks of experts cut at task borders.
//
//	go run ./kernels [-reps 9] [-what gemm,gradw,grouped,epilogue] [-variant avx512] [-threads 1,2] [-precision f32,bf16,bf16mem] [-shapes 512x512x512]
package main

import (
	"flag"
	"fmt"
	"log"
	"slices"
	"strconv"
	"strings"
	"time"

	"artel/benchmarks/internal/bench"
	"artel/benchmarks/internal/peak"
	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cpu"
	"artel/rng"
	"artel/tensor"
)

// job is one thing to time.
type job struct {
	group, name string
	flops       float64
	threads     int
	bf16        bool
	run         func()
	times       []float64
}

func main() {
	reps := flag.Int("reps", 9, "repetitions; the median counts")
	what := flag.String("what", "gemm,gradw,grouped", "parts")
	variant := flag.String("variant", "", "kernel variant; empty: the best one here")
	threads := flag.String("threads", "1,2", "numbers of threads")
	shapes := flag.String("shapes", "512x512x512,1024x1024x1024,2048x2048x2048,4096x512x1024,64x1024x512,16x1024x512,1x1024x512", "m x n x k of the products")
	orders := flag.String("orders", "NN,NT,TN", "orders of the operands: T is transposed in memory")
	precision := flag.String("precision", "f32", "f32, bf16 (operands are rounded on the way) or bf16mem (operands lie in memory as bfloat16)")
	worker := flag.String("worker", "", "run the product given as JSON on demand; see package bench")
	flag.Parse()
	if *worker != "" {
		if err := serve(*worker); err != nil {
			bench.Fail(err)
		}
		return
	}
	var jobs []*job
	for _, p := range strings.Split(*precision, ",") {
		be, err := open(*variant, p)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n\n", be.Name)
		for _, t := range strings.Split(*threads, ",") {
			n, err := strconv.Atoi(t)
			if err != nil || n < 1 {
				log.Fatalf("-threads: %q is no number of threads", t)
			}
			var more []*job
			operand := random
			if p == "bf16mem" {
				operand = short
			}
			for _, w := range strings.Split(*what, ",") {
				switch w {
				case "gemm":
					more = append(more, products(be, operand, strings.Split(*shapes, ","), strings.Split(*orders, ","))...)
				case "gradw":
					more = append(more, weightGradients(be, operand)...)
				case "epilogue":
					more = append(more, epilogues(be, operand)...)
				case "grouped":
					more = append(more, grouped(be, operand)...)
				default:
					log.Fatalf("-what: %q is unknown; want gemm, gradw, grouped or epilogue", w)
				}
			}
			for _, j := range more {
				j.threads, j.bf16 = n, p != "f32"
				if p == "bf16mem" {
					j.group += " mem"
				}
			}
			jobs = append(jobs, more...)
		}
	}
	measure(jobs, *reps, *variant)
}

// measure runs all jobs in turns, so that a slow moment of the machine hits all of them, and prints the table.
func measure(jobs []*job, reps int, variant string) {
	peaks := map[string][]float64{}
	for r := -1; r < reps; r++ {
		for _, j := range jobs {
			cpu.SetWorkers(j.threads)
			inner := max(1, int(0.01/(j.flops/1.5e11)))
			j.run()
			start := time.Now()
			for i := 0; i < inner; i++ {
				j.run()
			}
			if s := time.Since(start).Seconds() / float64(inner); r >= 0 {
				j.times = append(j.times, s)
			}
		}
		for _, j := range jobs {
			if k, ok := peak.Find(j.peak(variant)); ok && len(peaks[j.peakOf(variant)]) <= r {
				peaks[j.peakOf(variant)] = append(peaks[j.peakOf(variant)], k.Measure(j.threads))
			}
		}
	}
	fmt.Println("| what | case | threads | peak | GFLOP/s | best | share of peak |\n|---|---|---|---|---|---|---|")
	for _, j := range jobs {
		rate, bound, share := j.flops/bench.Median(j.times)/1e9, "", ""
		if measured := peaks[j.peakOf(variant)]; len(measured) > 0 { // not every processor has one
			p := bench.Median(measured)
			bound, share = fmt.Sprintf("%s %.0f", j.peak(variant), p), fmt.Sprintf("%.1f %%", 100*rate/p)
		}
		fmt.Printf("| %s | %s | %d | %s | %.1f | %.1f | %s |\n", j.group, j.name, j.threads, bound, rate, j.flops/slices.Min(j.times)/1e9, share)
	}
}

// peak names the instruction whose peak bounds the job.
func (j *job) peak(variant string) string {
	switch {
	case j.bf16 && variant == "":
		return "bf16"
	case variant == "":
		k, _ := peak.Of(false) // without a name no peak is measured
		return k.Name
	}
	return variant
}

func (j *job) peakOf(variant string) string { return fmt.Sprint(j.peak(variant), j.threads) }

// open returns the backend of a precision.
func open(variant, precision string) (*kernels.Backend, error) {
	switch precision {
	case "f32":
		return cpu.NewPrecision(variant, dtype.F32)
	case "bf16", "bf16mem":
		return cpu.NewPrecision(variant, dtype.BF16)
	}
	return nil, fmt.Errorf("-precision: %q is unknown; want f32, bf16 or bf16mem", precision)
}

// random returns a tensor of normal numbers.
func random(shape ...int) tensor.Tensor {
	x := tensor.New(dtype.F32, shape...)
	s := rng.New(uint64(x.Len()))
	for i := range x.F32() {
		x.F32()[i] = float32(s.Normal())
	}
	return x
}

// short is random in bfloat16.
func short(shape ...int) tensor.Tensor { return halves(random(shape...)) }

// halves is x rounded to bfloat16.
func halves(x tensor.Tensor) tensor.Tensor {
	h := tensor.New(dtype.BF16, x.Shape()...)
	for i, v := range x.F32() {
		h.BF16()[i] = dtype.ToBF16(v)
	}
	return h
}
