// Command layer times the forward and the backward pass of one sparse mixture-of-experts layer at the shapes of the Python peers, and how speed
// depends on the number of experts and of threads. It prints a Markdown table, or JSON lines.
//
//	go run ./layer [-shapes A,B,C] [-dtypes f32,bf16] [-threads 0,1] [-reps 15] [-json]
//	go run ./layer -experts      rows per second against the number of experts, at the same active arithmetic
//	go run ./layer -profile F    a profile of the last case for go tool pprof
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"

	"artel/kernels/cpu"

	"artel/benchmarks/internal/bench"
	"artel/benchmarks/internal/peak"
	"artel/internal/mixture"
)

func main() {
	log.SetFlags(0)
	names := flag.String("shapes", "A,B,C", "shapes")
	dtypes := flag.String("dtypes", "f32", "precisions")
	threads := flag.String("threads", "0", "numbers of threads; 0: all")
	variant := flag.String("variant", "", "variant of the kernels; empty: the best")
	reps := flag.Int("reps", 15, "turns per case; the median counts")
	burst := flag.Int("burst", 5, "steps in a row per turn; the first is not counted")
	experts := flag.Bool("experts", false, "vary the number of experts instead")
	asJSON := flag.Bool("json", false, "print JSON lines")
	profile := flag.String("profile", "", "write a CPU profile of the last case here, three seconds long")
	worker := flag.String("worker", "", "run the case given as JSON on demand; see package bench")
	flag.Parse()
	if *worker != "" {
		serve(*worker)
		return
	}
	cases := byShape(*names, *dtypes, *threads, *variant)
	if *experts {
		cases = byExperts(*variant)
	}
	if *profile != "" {
		if err := profileCase(&cases[len(cases)-1], *profile); err != nil {
			log.Fatal(err)
		}
		return
	}
	results := bench.Drive(workers(cases), bench.Plan{Reps: *reps, Burst: *burst})
	if *asJSON {
		for i := range results {
			results[i].Print()
		}
		return
	}
	if *experts {
		printExperts(results)
		return
	}
	printShapes(results)
}

// byShape lists the cases of the peers' shapes.
func byShape(names, dtypes, threads, variant string) (cases []layerCase) {
	for _, s := range strings.Split(names, ",") {
		for _, d := range strings.Split(dtypes, ",") {
			for _, n := range strings.Split(threads, ",") {
				workers, err := strconv.Atoi(n)
				if err != nil || workers < 0 {
					log.Fatalf("-threads: %q is no number of threads", n)
				}
				c := layerCase{Shape: s, Dtype: d, Threads: workers, Variant: variant}
				if _, err := c.size(); err != nil {
					log.Fatal(err)
				}
				cases = append(cases, c)
			}
		}
	}
	return cases
}

// byExperts lists layers, without and with a router, with the same arithmetic per row, 16384 routed rows and more and more experts: from 8192 to 16 rows per expert and less.
func byExperts(variant string) (cases []layerCase) {
	for e := 2; e <= 1024; e *= 2 {
		for _, fixed := range []bool{true, false} {
			cases = append(cases, layerCase{T: 8192, D: 128, F: 128, E: e, K: 2, Fixed: fixed, Dtype: "f32", Variant: variant})
		}
	}
	return cases
}

func workers(cases []layerCase) (out []bench.Case) {
	self, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range cases {
		s, _ := c.size()
		name := "moe " + c.Shape
		if c.Shape == "" {
			name = fmt.Sprintf("moe T%d D%d F%d E%d K%d", s.T, s.D, s.F, s.E, s.K)
		}
		raw, _ := json.Marshal(c)
		config := map[string]any{}
		json.Unmarshal(raw, &config)
		out = append(out, bench.Case{Name: name + " " + c.Dtype, System: "artel", Command: []string{self}, Config: config})
	}
	return out
}

// serve is the worker's side.
func serve(raw string) {
	var c layerCase
	if err := json.Unmarshal([]byte(raw), &c); err != nil {
		bench.Fail(err)
		return
	}
	l, info, err := prepare(&c)
	if err != nil {
		bench.Fail(err)
		return
	}
	bench.Serve(info, 3, func() (float64, error) { return 0, l.Step() })
}

// prepare builds a case and measures the processor.
func prepare(c *layerCase) (l *mixture.Layer, info bench.Info, err error) {
	s, err := c.size()
	if err != nil {
		return nil, info, err
	}
	if c.Threads == 0 {
		c.Threads = runtime.GOMAXPROCS(0)
	}
	cpu.SetWorkers(c.Threads)
	be, err := cpu.NewPrecision(c.Variant, c.products())
	if err != nil {
		return nil, info, err
	}
	make := mixture.New
	if c.Fixed {
		make = mixture.NewFixed
	}
	if l, err = make(s, be); err != nil {
		return nil, info, err
	}
	if c.Weights != "" {
		if err = c.setWeights(l); err != nil {
			return nil, info, err
		}
	}
	if err = l.Step(); err != nil {
		return nil, info, err
	}
	if c.Answers != "" {
		if err = c.writeAnswers(l); err != nil {
			return nil, info, err
		}
	}
	info = bench.Info{Flops: s.Flops(), Tokens: float64(s.T), SavedMB: float64(l.Saved) / (1 << 20), Load: l.Load()}
	if k, ok := peak.Of(c.Dtype == "bf16"); ok {
		info.Peak = k.Measure(c.Threads)
	}
	return l, info, nil
}

func profileCase(c *layerCase, path string) error {
	l, _, err := prepare(c)
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	n, start := 0, time.Now()
	for time.Since(start) < 3*time.Second {
		if err := l.Step(); err != nil {
			return err
		}
		n++
	}
	fmt.Printf("%.3f ms a step over %d steps\n", time.Since(start).Seconds()*1e3/float64(n), n)
	return nil
}

func printShapes(results []bench.Result) {
	fmt.Println("| layer | threads | ms (min) | GFLOP/s | share of peak | tokens/s | saved MiB | peak RSS MiB | allocations |\n|---|---|---|---|---|---|---|---|---|")
	for _, r := range results {
		if r.Error != "" {
			fmt.Printf("| %s | | %s |\n", r.Name, r.Error)
			continue
		}
		n := r.Config["threads"]
		if n == nil {
			n = runtime.GOMAXPROCS(0)
		}
		fmt.Printf("| %s | %v | %.2f (%.2f) | %.0f | %.0f %% of %.0f | %.0f | %.1f | %.0f | %.0f |\n",
			r.Name, n, r.MedianMS, r.MinMS, r.Gflops, 100*r.ShareOfPeak, r.Peak, r.TokensPerS, r.SavedMB, r.PeakRSSMB, r.Allocs)
	}
}

func printExperts(results []bench.Result) {
	fmt.Println("| experts | routed rows per expert | ms | rows/s | of the first | ms with router | rows/s | of the first |\n|---|---|---|---|---|---|---|---|")
	for i := 0; i+1 < len(results); i += 2 {
		line := ""
		for j := range 2 {
			r, first := results[i+j], results[j]
			if r.Error != "" {
				line += " " + r.Error + " | | |"
				continue
			}
			line += fmt.Sprintf(" %.2f | %.0f | %.2f |", r.MedianMS, r.TokensPerS, r.TokensPerS/first.TokensPerS)
		}
		e, k := results[i].Config["E"].(float64), results[i].Config["K"].(float64)
		fmt.Printf("| %.0f | %.0f |%s\n", e, results[i].Tokens*k/e, line)
	}
}
