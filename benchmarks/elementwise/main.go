// Command elementwise times what is no matrix product, at the sizes of real steps: bytes that must be read and written, per second, beside the speed of
// a copy of as many bytes in the same run.
//
//	go run ./elementwise [-reps 9] [-variant avx512] [-threads 1,2] [-only adam]
package main

import (
	"flag"
	"fmt"
	"log"
	"strconv"
	"strings"
	"sync"
	"time"

	"artel/benchmarks/internal/bench"
	"artel/kernels/cpu"
)

// job is one op to time.
type job struct {
	name         string
	bytes        float64 // read and written, each once
	run          func()
	times, roofs []float64
}

func main() {
	reps := flag.Int("reps", 9, "repetitions; the median counts")
	variant := flag.String("variant", "", "kernel variant; empty: the best one here")
	threads := flag.String("threads", "2", "numbers of threads")
	only := flag.String("only", "", "ops whose name contains this")
	flag.Parse()
	be, err := cpu.NewVariant(*variant)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n\n| op | threads | us | GB/s | a copy | share |\n|---|---|---|---|---|---|\n", be.Name)
	for _, t := range strings.Split(*threads, ",") {
		n, err := strconv.Atoi(t)
		if err != nil || n < 1 {
			log.Fatalf("-threads: %q is no number of threads", t)
		}
		cpu.SetWorkers(n)
		for _, group := range groups {
			var jobs []*job
			for _, j := range group(be) {
				if strings.Contains(j.name, *only) {
					jobs = append(jobs, j)
				}
			}
			measure(jobs, n, *reps)
			for _, j := range jobs {
				s, roof := bench.Median(j.times), bench.Median(j.roofs)
				fmt.Printf("| %s | %d | %.0f | %.1f | %.0f | %.0f %% |\n", j.name, n, s*1e6, j.bytes/s/1e9, roof, 100*j.bytes/s/1e9/roof)
			}
		}
	}
}

// measure runs jobs in turns, and a copy after each, so that a slow moment of the machine hits both.
func measure(jobs []*job, threads, reps int) {
	for r := -1; r < reps; r++ {
		for _, j := range jobs {
			s, roof := seconds(j.run), copySpeed(int(j.bytes)/2, threads)
			if r >= 0 {
				j.times, j.roofs = append(j.times, s), append(j.roofs, roof)
			}
		}
	}
}

// seconds is the time of f, repeated until it can be read off the clock.
func seconds(f func()) float64 {
	f()
	for n := 1; ; n *= 2 {
		start := time.Now()
		for range n {
			f()
		}
		if s := time.Since(start).Seconds(); s > 2e-3 {
			return s / float64(n)
		}
	}
}

// copySpeed is the bytes read and written per second, in 1e9, by a copy of n bytes that the threads share. With one run after the other the data stay in
// the caches that hold them, like those of the ops.
func copySpeed(n, threads int) float64 {
	src, dst := make([]byte, n), make([]byte, n)
	for i := 0; i < n; i += 4096 {
		src[i], dst[i] = 1, 1
	}
	var wg sync.WaitGroup
	var start time.Time
	times := max(1, int(1e7)/max(n, 1))
	ready := make(chan struct{})
	for t := range threads {
		wg.Add(1)
		go func() {
			defer wg.Done()
			lo, hi := n*t/threads, n*(t+1)/threads
			copy(dst[lo:hi], src[lo:hi])
			<-ready
			for range times {
				copy(dst[lo:hi], src[lo:hi])
			}
		}()
	}
	time.Sleep(time.Millisecond)
	start = time.Now()
	close(ready)
	wg.Wait()
	return 2 * float64(n*times) / time.Since(start).Seconds() / 1e9
}
