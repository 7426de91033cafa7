// Command step times training steps of a multi-task mixture-of-experts model, plain and with gradient surgery, for several numbers of tasks, with rows
// shared by all tasks and with rows owned by one task. Shapes as in the PyTorch comparison: 784 -> 256, two mixtures of 16 SwiGLU experts with
// 512 hidden units, top-2, batch 1024, one head of 10 classes per task, AdamW.
//
//	go run ./step [-reps 9] [-methods sum,pcgrad] [-tasks 2,4,8] [-batch 1024] [-rows shared,owned]
//
// -batch 0 takes 1024 rows per task, so that an expert sees 128 rows of every task.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"

	"artel/engine"

	"artel/benchmarks/internal/bench"
)

func main() {
	reps := flag.Int("reps", 9, "timed steps per case; the median counts")
	methods := flag.String("methods", "sum,pcgrad", "surgery methods, such as pcgrad or pcgrad:operands with a choice for surgery.memory; the first one is the plain step")
	counts := flag.String("tasks", "2,4,8", "numbers of tasks")
	batch := flag.Int("batch", 1024, "rows per step; 0: 1024 per task")
	kinds := flag.String("rows", "shared,owned", "kinds of rows")
	profile := flag.String("profile", "", "file for a CPU profile of everything")
	worker := flag.String("worker", "", "run the case given as JSON on demand; see package bench")
	first := flag.String("first-step", "", "make the first step of the case given as JSON, say so and end")
	flag.Parse()
	if *first != "" {
		if err := firstStep(*first); err != nil {
			log.Fatal(err)
		}
		return
	}
	if *worker != "" {
		if err := serve(*worker); err != nil {
			bench.Fail(err)
		}
		return
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			log.Fatal(err)
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Println("| rows | tasks | batch | method | ms | ratio to plain | arithmetic (1+2M)/3 | allocations per step |\n|---|---|---|---|---|---|---|---|")
	for _, kind := range strings.Split(*kinds, ",") {
		if kind != "shared" && kind != "owned" {
			log.Fatalf("-rows: %q, want shared or owned", kind)
		}
		for _, c := range strings.Split(*counts, ",") {
			m, err := strconv.Atoi(c)
			if err != nil {
				log.Fatalf("-tasks: %q is no number", c)
			}
			n := *batch
			if n == 0 {
				n = 1024 * m
			}
			compare(kind == "owned", m, n, strings.Split(*methods, ","), *reps)
		}
	}
}

// compare prints the lines of one kind of rows and number of tasks. The methods take turns, so that a slow moment of the machine hits all of them.
func compare(owned bool, m, batch int, methods []string, reps int) {
	engines := make([]*engine.Engine, len(methods))
	times := make([][]float64, len(methods))
	allocs := make([]uint64, len(methods))
	for i, name := range methods {
		e, err := build(setting{Tasks: m, Batch: batch, Owned: owned, Method: name})
		if err != nil {
			log.Fatal(err)
		}
		engines[i] = e
		defer engines[i].Close()
		for k := 0; k < 3; k++ {
			step(engines[i])
		}
	}
	for r := 0; r < reps; r++ {
		for i, e := range engines {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			step(e)
			times[i] = append(times[i], time.Since(start).Seconds()*1e3)
			runtime.ReadMemStats(&after)
			if n := after.Mallocs - before.Mallocs; r == 0 || n < allocs[i] {
				allocs[i] = n // the runtime allocates a little of its own now and then
			}
		}
	}
	kind, floor := "shared", fmt.Sprintf("%.2f", float64(1+2*m)/3)
	if owned {
		kind, floor = "owned", "1.00"
	}
	plain := bench.Median(times[0])
	for i, name := range methods {
		t := bench.Median(times[i])
		f := floor
		if i == 0 {
			f = "1.00"
		}
		fmt.Printf("| %s | %d | %d | %s | %.1f | %.2f | %s | %d |\n", kind, m, batch, name, t, t/plain, f, allocs[i])
	}
}

func step(e *engine.Engine) {
	if err := e.Step(); err != nil {
		log.Fatal(err)
	}
}
