package pool

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestWokenByEarlierJob: a helper may wake the caller for the end of a job that the caller has seen without it. The caller then goes on waiting for the job at hand.
func TestWokenByEarlierJob(t *testing.T) {
	p := New(2)
	var running, stop atomic.Int32
	var late sync.WaitGroup
	late.Go(func() {
		for stop.Load() == 0 {
			p.wakeCaller()
			time.Sleep(50 * time.Microsecond)
		}
	})
	for i := range 30 {
		var started atomic.Int32
		p.Run(2, 1, func(_, _ int) {
			running.Add(1)
			time.Sleep(patience) // so that the caller, who is first as a rule, leaves a chunk for the helper
			if started.Add(1) == 2 {
				time.Sleep(5 * patience)
			}
			running.Add(-1)
		})
		if n := running.Load(); n != 0 {
			t.Errorf("job %d: %d chunks still run after Run", i, n)
		}
	}
	stop.Store(1)
	late.Wait()
}
