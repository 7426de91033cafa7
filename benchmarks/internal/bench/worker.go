package bench

import (
	"bufio"
	"encoding/json"
	"os"
	"runtime"
	"time"
)

// Step is one repetition of a case. It returns the milliseconds to be counted, or 0 for the whole of it.
type Step func() (ms float64, err error)

// Serve is the life of a worker: it warms step and then runs it on demand.
func Serve(info Info, warm int, step Step) {
	out := json.NewEncoder(os.Stdout)
	fail := func(err error) { out.Encode(map[string]any{"error": err.Error(), "peak_rss_mb": PeakRSS()}) }
	for i := 0; i < warm; i++ {
		if _, err := step(); err != nil {
			fail(err)
			return
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if warm > 0 {
		if _, err := step(); err != nil {
			fail(err)
			return
		}
	}
	runtime.ReadMemStats(&after)
	info.Allocs = float64(after.Mallocs - before.Mallocs)
	info.PeakRSSMB = PeakRSS()
	out.Encode(info)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if in.Text() == "q" {
			return
		}
		start := time.Now()
		ms, err := step()
		if err != nil {
			fail(err)
			return
		}
		if ms == 0 {
			ms = time.Since(start).Seconds() * 1e3
		}
		out.Encode(map[string]float64{"ms": ms, "peak_rss_mb": PeakRSS()})
	}
}

// Fail reports that a case could not be prepared.
func Fail(err error) { json.NewEncoder(os.Stdout).Encode(Info{Error: err.Error()}) }
