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
	"slices"
	"strconv"
	"strings"
	"time"

	"artel/config"
	"artel/data"
	"artel/engine"
	"artel/rng"
)

const (
	width   = 784
	classes = 10
	rows    = 16 * 1024
)

const base = `
steps: 100000
data: {prefetch: 1}
model:
  width: 256
  dropout: 0
  blocks:
    - moe: {experts: 16, k: 2, hidden: 512, balance: 0, z_loss: 0}
    - moe: {experts: 16, k: 2, hidden: 512, balance: 0, z_loss: 0}
optimizer: {lr: 1.0e-4, warmup: 0, schedule: constant, clip_norm: 0}
`

func main() {
	reps := flag.Int("reps", 9, "timed steps per case; the median counts")
	methods := flag.String("methods", "sum,pcgrad", "surgery methods, such as pcgrad or pcgrad:operands with a choice for surgery.memory; the first one is the plain step")
	counts := flag.String("tasks", "2,4,8", "numbers of tasks")
	batch := flag.Int("batch", 1024, "rows per step; 0: 1024 per task")
	kinds := flag.String("rows", "shared,owned", "kinds of rows")
	profile := flag.String("profile", "", "file for a CPU profile of everything")
	flag.Parse()
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
		engines[i] = build(owned, m, batch, name)
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
	plain := median(times[0])
	for i, name := range methods {
		t := median(times[i])
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

func median(x []float64) float64 {
	s := slices.Clone(x)
	slices.Sort(s)
	return s[len(s)/2]
}

// build makes an engine over random rows.
func build(owned bool, m, batch int, method string) *engine.Engine {
	src := &data.Memory{Name: "random", Width: width, Dense: make([]float32, rows*width)}
	s := rng.New(1)
	for i := range src.Dense {
		src.Dense[i] = float32(s.Normal())
	}
	for t := 0; t < m; t++ {
		labels := make([]int32, rows)
		for i := range labels {
			labels[i] = int32(s.Intn(classes))
		}
		src.Labels = append(src.Labels, labels)
		src.Tasks = append(src.Tasks, data.TaskSpec{Name: fmt.Sprintf("task%d", t), Classes: make([]string, classes)})
	}
	mix, err := data.NewMemoryMixture(src, owned)
	if err != nil {
		log.Fatal(err)
	}
	cfg := engine.Default()
	name, memory, ok := strings.Cut(method, ":")
	if !ok {
		memory = "auto"
	}
	if _, err := config.Decode(&cfg, config.File("base", []byte(base)), config.Args([]string{"surgery.method=" + name, "surgery.memory=" + memory, fmt.Sprint("batch=", batch)})); err != nil {
		log.Fatal(err)
	}
	be, _, err := engine.OpenDevice(cfg.Device, "")
	if err != nil {
		log.Fatal(err)
	}
	e, err := engine.NewOn(&cfg, be, mix)
	if err != nil {
		log.Fatal(err)
	}
	return e
}
