package cuda

import (
	"slices"
	"sync"

	"artel/kernels/cuda/driver"
)

// calls are functions of the host that wait in the stream, the oldest first. The driver knows one function, which calls the next of them.
type calls struct {
	host driver.HostFunc

	mu      sync.Mutex // what a function wrote is seen by who holds it later
	waiting []func()
}

// next runs on a thread of the driver's.
func (c *calls) next() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) > 0 {
		f := c.waiting[0]
		c.waiting = slices.Delete(c.waiting, 0, 1)
		f()
	}
}

// met lets the host see what functions wrote that the stream has passed.
func (c *calls) met() {
	c.mu.Lock()
	defer c.mu.Unlock()
}

// drop forgets functions that the stream has not reached, when it has stopped: after an error.
func (c *calls) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.waiting)
	c.waiting = c.waiting[:0]
}

// call queues a function, or makes it a node of the graph.
func (d *device) call(f func()) {
	if d.err != nil { // after an error tables may be wrong
		return
	}
	defer d.enter()()
	d.record(hostWork)
	c := &d.calls
	c.mu.Lock()
	c.waiting = append(c.waiting, f)
	c.mu.Unlock()
	d.fail(d.api.LaunchHostFunc(d.stream, c.host))
}
