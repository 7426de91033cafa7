// Package pool runs loops on persistent workers.
//
// A loop is cut into chunks whose borders depend on the loop alone, never on the number of workers; each chunk does its own
// arithmetic in a fixed order and writes its own output, so results are the same bits for any number of workers. A call creates no
// goroutine and allocates nothing.
package pool

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Pool is a set of workers. The caller of Run works too; with one worker Run is a plain loop.
type Pool struct {
	mu      sync.Mutex
	workers []*worker // the helpers, without the caller
	active  int       // helpers in use
	follow  bool      // as many workers as GOMAXPROCS says
	// decoy wakes a goroutine that does nothing. What a goroutine wakes last is next in line on its own processor, where other processors take it
	// only after a delay of tens of microseconds; what was woken before that waits in the queue they look at first.
	decoy chan struct{}

	f     func(lo, hi int)
	n     int
	grain int
	next  atomic.Int64 // next chunk
	busy  atomic.Int64 // helpers that have not finished
	fail  atomic.Pointer[failure]

	waits    atomic.Bool // the caller is parked until the last helper has finished
	finished chan struct{}
}

// failure is a panic that a helper met.
type failure struct{ value any }

// worker is one helper goroutine.
type worker struct {
	given  atomic.Bool // there is a job that it has not taken
	parked atomic.Bool
	wake   chan struct{}
}

// shared is the pool of the process: workers are a resource of the machine, like its processors.
var shared = sync.OnceValue(func() *Pool { return New(0) })

// Shared returns the pool of the process.
func Shared() *Pool { return shared() }

// patience is how long an idle helper looks for work, and the caller for the end of a loop, before it parks: longer than the gaps between the ops
// of a step that are no loops. To wake a parked one takes tens of microseconds.
const patience = 200 * time.Microsecond

// mostYields is how often one that looks lets another thread have its processor, which may be the very one that it looks for. Not without a limit: where processors are shared
// with other processes, Linux 6.18 puts a thread that yields behind all of them, by a time slice for each call, which stops a step for minutes.
const mostYields = 20

// New returns a pool of n workers, the caller counted; n < 1 means GOMAXPROCS.
func New(n int) *Pool {
	p := &Pool{finished: make(chan struct{}, 1)}
	p.SetWorkers(n)
	return p
}

// SetWorkers changes the number of workers, the caller counted. n < 1 means GOMAXPROCS, which Run follows when it changes: so do the limits of a
// control group, which the Go runtime reads. Not to be called during Run.
func (p *Pool) SetWorkers(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.follow = n < 1; p.follow {
		n = runtime.GOMAXPROCS(0)
	}
	p.resize(n)
}

// resize starts the helpers that are missing; those that are too many stay parked.
func (p *Pool) resize(n int) {
	if p.decoy == nil && n > 1 {
		p.decoy = make(chan struct{}, 1)
		go func() {
			for range p.decoy {
			}
		}()
	}
	for len(p.workers) < n-1 {
		w := &worker{wake: make(chan struct{}, 1)}
		p.workers = append(p.workers, w)
		go p.serve(w)
	}
	p.active = n - 1
}

// Workers returns the number of workers.
func (p *Pool) Workers() int { return p.active + 1 }

// Run calls f on [0,n) cut into chunks of grain, on all workers. f must not keep its arguments and must not call Run of the same pool
// from another goroutine; called from within f, Run is a plain loop.
func (p *Pool) Run(n, grain int, f func(lo, hi int)) {
	if n <= 0 {
		return
	}
	grain = max(grain, 1)
	if n <= grain || !p.mu.TryLock() {
		inTurn(n, grain, f)
		return
	}
	defer p.mu.Unlock()
	if procs := runtime.GOMAXPROCS(0); p.follow && procs != p.active+1 {
		p.resize(procs)
	}
	if p.active == 0 {
		inTurn(n, grain, f)
		return
	}
	p.f, p.n, p.grain = f, n, grain
	p.next.Store(0)
	p.fail.Store(nil)
	p.start(min(p.active, (n-1)/grain))
	func() {
		defer p.wait() // also when f panics here: the helpers still run it
		p.work()
	}()
	p.f = nil
	if e := p.fail.Load(); e != nil {
		panic(e.value)
	}
}

// start gives the job to the first helpers and wakes those that are parked.
func (p *Pool) start(helpers int) {
	p.busy.Store(int64(helpers))
	woken := false
	for _, w := range p.workers[:helpers] {
		w.given.Store(true)
		if w.parked.Load() && w.parked.CompareAndSwap(true, false) {
			w.wake <- struct{}{}
			woken = true
		}
	}
	if woken {
		select {
		case p.decoy <- struct{}{}:
		default:
		}
	}
}

// wait takes the job back from helpers that have not begun, and returns when the others have finished. One that has just been woken may wait for the processor that the
// caller is on; there is nothing left for it to do.
func (p *Pool) wait() {
	for _, w := range p.workers[:p.active] {
		if w.given.Load() && w.given.CompareAndSwap(true, false) {
			p.busy.Add(-1)
		}
	}
	for !lookFor(func() bool { return p.busy.Load() == 0 }) {
		p.waits.Store(true)
		if p.busy.Load() == 0 && p.waits.CompareAndSwap(true, false) {
			return
		}
		<-p.finished // a helper that was held up on its way out of the job before may have sent this
	}
}

// lookFor looks for a condition as long as patience lasts and reports whether it came true.
func lookFor(met func() bool) bool {
	if met() {
		return true
	}
	yields := 0
	for start := time.Now(); ; {
		for range 64 {
			if met() {
				return true
			}
		}
		if time.Since(start) > patience {
			return false
		}
		if yields < mostYields {
			yields++
			yield()
		}
		runtime.Gosched()
	}
}

// inTurn is Run on the caller alone.
func inTurn(n, grain int, f func(lo, hi int)) {
	for lo := 0; lo < n; lo += grain {
		f(lo, min(lo+grain, n))
	}
}

// work takes chunks until none is left.
func (p *Pool) work() {
	for {
		lo := int(p.next.Add(1)-1) * p.grain
		if lo >= p.n {
			return
		}
		p.f(lo, min(lo+p.grain, p.n))
	}
}

// serve is the life of a helper.
func (p *Pool) serve(w *worker) {
	for {
		for !lookFor(w.given.Load) {
			w.parked.Store(true)
			if w.given.Load() && w.parked.CompareAndSwap(true, false) {
				break
			}
			<-w.wake
		}
		if w.given.CompareAndSwap(true, false) {
			p.help()
		}
	}
}

// help does a helper's part of a job, hands a panic to the caller and, as the last one, wakes it.
func (p *Pool) help() {
	defer func() {
		if r := recover(); r != nil {
			p.fail.Store(&failure{r})
		}
		if p.busy.Add(-1) == 0 {
			p.wakeCaller()
		}
	}()
	p.work()
}

func (p *Pool) wakeCaller() {
	if p.waits.Load() && p.waits.CompareAndSwap(true, false) {
		p.finished <- struct{}{}
	}
}
