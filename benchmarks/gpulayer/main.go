// Command gpulayer times the forward and the backward pass of a sparse mixture-of-experts layer, router included, on a GPU at the shapes that
// SonicMoE publishes, and prints them beside its figures.
//
//	go run ./gpulayer [-device cuda:0] [-models 7B] [-precision bf16] [-reps 20]
//	go run ./gpulayer -device emu -scale 512 -reps 1    the same, with everything but the widths' ratio made smaller
package main

import (
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"artel/dtype"
	"artel/kernels"
	"artel/kernels/cpu"
	"artel/kernels/cuda"

	"artel/benchmarks/internal/bench"
	"artel/internal/mixture"
)

func main() {
	log.SetFlags(0)
	device := flag.String("device", "cuda:0", "cuda:N, emu or cpu")
	precision := flag.String("precision", "bf16", "of products: bf16 or f32")
	models := flag.String("models", "1.4B,7B,30B,120B", "models whose shapes to run")
	scale := flag.Int("scale", 1, "divide rows by this, widths and experts by its square root")
	reps := flag.Int("reps", 20, "measurements; the median counts")
	flag.Parse()
	be, why, err := open(*device, *precision)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s; products in %s\n\n", *device, why, *precision)
	fmt.Println("| model | T | D | F | E | K | forward ms | TFLOP/s | SonicMoE, H100 | backward ms | TFLOP/s | SonicMoE, H100 | saved MiB |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|")
	failed := false
	for _, p := range published {
		if !slices.Contains(strings.Split(*models, ","), p.model) {
			continue
		}
		s := p.Shape
		if *scale > 1 {
			s, p.forward, p.backward = smaller(s, *scale), math.NaN(), math.NaN()
		}
		row, err := measure(s, be, *reps)
		if err != nil {
			fmt.Printf("| %s | %d | %d | %d | %d | %d | %v |\n", p.model, s.T, s.D, s.F, s.E, s.K, err)
			failed = true
			continue
		}
		fmt.Printf("| %s | %d | %d | %d | %d | %d | %.3f | %.1f | %.0f | %.3f | %.1f | %.0f | %.0f |\n",
			p.model, s.T, s.D, s.F, s.E, s.K, row.forward, s.Flops()/3/row.forward/1e9, p.forward, row.backward, s.Flops()*2/3/row.backward/1e9, p.backward, row.savedMiB)
	}
	if failed {
		os.Exit(1)
	}
}

func open(device, precision string) (*kernels.Backend, string, error) {
	products := dtype.F32
	switch precision {
	case "f32":
	case "bf16":
		products = dtype.BF16
	default:
		return nil, "", fmt.Errorf("-precision %q; want bf16 or f32", precision)
	}
	if device == "cpu" {
		be, err := cpu.NewPrecision("", products)
		return be, "kernels in assembly", err
	}
	return cuda.Open(device, products)
}

// result is medians in milliseconds.
type result struct{ forward, backward, savedMiB float64 }

// measure runs one shape; three steps before the first measurement warm it.
func measure(s mixture.Shape, be *kernels.Backend, reps int) (result, error) {
	l, err := mixture.New(s, be)
	if err != nil {
		return result{}, err
	}
	warm := min(reps, 3)
	var forward, backward []float64
	for i := range warm + reps {
		start := time.Now()
		err := l.Forward()
		if err == nil {
			err = be.Sync()
		}
		middle := time.Now()
		if err == nil {
			err = l.Backward()
		}
		if err == nil {
			err = be.Sync()
		}
		if err != nil {
			return result{}, err
		}
		if i >= warm {
			forward = append(forward, middle.Sub(start).Seconds()*1e3)
			backward = append(backward, time.Since(middle).Seconds()*1e3)
		}
	}
	return result{bench.Median(forward), bench.Median(backward), float64(l.Saved) / (1 << 20)}, nil
}
