// Package peak measures what a processor can do at most: loops of independent multiply-adds on registers, without memory.
//
// Machines differ, and one machine differs from minute to minute, so a speed means little without the peak of the same run.
package peak

import (
	"runtime"
	"sync"
	"time"
)

// Kind is an instruction whose peak can be measured.
type Kind struct {
	Name  string                        // "f32 fma"
	Flops float64                       // floating-point operations of one turn of the loop
	loop  func(turns int, buf *float32) // independent chains, enough to fill the pipelines
}

// Kinds lists what this processor runs, widest first by name: "avx512", "avx2" (float32 FMA) and "bf16" (dot products of bfloat16 pairs).
func Kinds() []Kind { return kinds() }

// Of returns the kind that bounds products of a precision, where this processor has one.
func Of(bf16 bool) (Kind, bool) {
	if bf16 {
		return Find("bf16")
	}
	if ks := kinds(); len(ks) > 0 && ks[0].Name != "bf16" {
		return ks[0], true
	}
	return Kind{}, false
}

// Find returns the kind called name.
func Find(name string) (Kind, bool) {
	for _, k := range kinds() {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}

// Measure returns the GFLOP/s of all threads together: the best of three short runs in which every thread keeps its own processor busy.
func (k Kind) Measure(threads int) float64 {
	const turns = 1 << 18
	best := 0.0
	for r := 0; r < 3; r++ {
		var wg sync.WaitGroup
		rates := make([]float64, threads)
		for i := range rates {
			wg.Add(1)
			go func() {
				defer wg.Done()
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				var buf [16]float32
				k.loop(turns/8, &buf[0])
				start := time.Now()
				k.loop(turns, &buf[0])
				rates[i] = k.Flops * turns / time.Since(start).Seconds() / 1e9
			}()
		}
		wg.Wait()
		sum := 0.0
		for _, v := range rates {
			sum += v
		}
		best = max(best, sum)
	}
	return best
}
