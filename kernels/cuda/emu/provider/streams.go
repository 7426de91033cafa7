package provider

import (
	"artel/kernels/cuda/driver"
)

// op is a piece of queued work; kind and key say whether two are of the same shape.
type op struct {
	kind string
	key  uintptr
	run  func() error
}

// tape is recorded work.
type tape struct{ ops []op }

func (t *tape) run() error {
	for _, o := range t.ops {
		if err := o.run(); err != nil {
			return err
		}
	}
	return nil
}

// queue runs work at once, or records it when the stream captures.
func (d *Driver) queue(s driver.Stream, o op) error {
	if err := d.known(o.kind, s); err != nil {
		return err
	}
	if t := d.tapes[s]; t != nil {
		t.ops = append(t.ops, o)
		return nil
	}
	if d.late {
		d.waits = append(d.waits, o)
		return nil
	}
	return o.run()
}

func (d *Driver) known(call string, s driver.Stream) error {
	if s != 0 && !d.stream[s] {
		return fail(call, driver.InvalidHandle, "stream %d", s)
	}
	return nil
}

func (d *Driver) streams() driver.Streams {
	return driver.Streams{
		StreamCreate: func() (driver.Stream, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			s := driver.Stream(d.handle())
			d.stream[s] = true
			return s, nil
		},
		StreamDestroy: func(s driver.Stream) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			if !d.stream[s] {
				return fail("cuStreamDestroy", driver.InvalidHandle, "stream %d", s)
			}
			delete(d.stream, s)
			return nil
		},
		StreamSynchronize: func(s driver.Stream) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			if err := d.known("cuStreamSynchronize", s); err != nil {
				return err
			}
			if d.tapes[s] != nil {
				return fail("cuStreamSynchronize", driver.CaptureUnsupported, "stream %d captures", s)
			}
			return d.flush()
		},
		StreamWaitEvent: func(s driver.Stream, e driver.Event) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			if _, ok := d.events[e]; !ok {
				return fail("cuStreamWaitEvent", driver.InvalidHandle, "event %d", e)
			}
			return d.queue(s, op{"cuStreamWaitEvent", uintptr(e), func() error { return nil }})
		},
		EventCreate: func(bool) (driver.Event, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			e := driver.Event(d.handle())
			d.events[e] = 0
			return e, nil
		},
		EventDestroy: func(e driver.Event) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			if _, ok := d.events[e]; !ok {
				return fail("cuEventDestroy", driver.InvalidHandle, "event %d", e)
			}
			delete(d.events, e)
			return nil
		},
		EventRecord: func(e driver.Event, s driver.Stream) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			if _, ok := d.events[e]; !ok {
				return fail("cuEventRecord", driver.InvalidHandle, "event %d", e)
			}
			return d.queue(s, op{"cuEventRecord", uintptr(e), func() error {
				d.events[e] = d.clock
				return nil
			}})
		},
		EventSynchronize: d.reached,
		EventElapsed: func(from, to driver.Event) (float32, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			a, ok := d.events[from]
			b, ok2 := d.events[to]
			if !ok || !ok2 {
				return 0, fail("cuEventElapsedTime", driver.InvalidHandle, "events %d and %d", from, to)
			}
			return float32(b - a), nil
		},
		HostFunc: d.host.Add,
		LaunchHostFunc: func(s driver.Stream, h driver.HostFunc) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			f := d.host.Find(h)
			if f == nil {
				return fail("cuLaunchHostFunc", driver.InvalidValue, "function %d", h)
			}
			return d.queue(s, op{"cuLaunchHostFunc", 0, func() error {
				f()
				return nil
			}})
		},
	}
}

// reached runs what waits up to the last record of an event.
func (d *Driver) reached(e driver.Event) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.events[e]; !ok {
		return fail("cuEventSynchronize", driver.InvalidHandle, "event %d", e)
	}
	for i := len(d.waits) - 1; i >= 0; i-- {
		if o := d.waits[i]; o.kind == "cuEventRecord" && o.key == uintptr(e) {
			later := append([]op(nil), d.waits[i+1:]...)
			d.waits = d.waits[:i+1]
			err := d.flush()
			d.waits = later
			return err
		}
	}
	return d.sticky
}

func (d *Driver) recorded() driver.Graphs {
	return driver.Graphs{
		BeginCapture: func(s driver.Stream) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			if s == 0 || !d.stream[s] {
				return fail("cuStreamBeginCapture", driver.InvalidHandle, "stream %d", s)
			}
			if d.tapes[s] != nil {
				return fail("cuStreamBeginCapture", driver.InvalidValue, "stream %d captures already", s)
			}
			d.tapes[s] = &tape{}
			return nil
		},
		EndCapture: func(s driver.Stream) (driver.Graph, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			t := d.tapes[s]
			if t == nil {
				return 0, fail("cuStreamEndCapture", driver.InvalidValue, "stream %d does not capture", s)
			}
			delete(d.tapes, s)
			g := driver.Graph(d.handle())
			d.graphs[g] = t
			return g, nil
		},
		GraphInstantiate: func(g driver.Graph) (driver.GraphExec, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			t := d.graphs[g]
			if t == nil {
				return 0, fail("cuGraphInstantiate", driver.InvalidHandle, "graph %d", g)
			}
			e := driver.GraphExec(d.handle())
			d.execs[e] = &tape{t.ops}
			return e, nil
		},
		GraphExecUpdate:  d.update,
		GraphLaunch:      d.launchGraph,
		GraphDestroy:     func(g driver.Graph) error { return remove(d, "cuGraphDestroy", d.graphs, g) },
		GraphExecDestroy: func(e driver.GraphExec) error { return remove(d, "cuGraphExecDestroy", d.execs, e) },
	}
}

func (d *Driver) update(e driver.GraphExec, g driver.Graph) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	to, from := d.execs[e], d.graphs[g]
	if to == nil || from == nil {
		return false, fail("cuGraphExecUpdate", driver.InvalidHandle, "graph %d, executable %d", g, e)
	}
	if len(to.ops) != len(from.ops) {
		return false, nil
	}
	for i := range to.ops {
		if to.ops[i].kind != from.ops[i].kind || to.ops[i].kind == "cuLaunchKernel" && to.ops[i].key != from.ops[i].key {
			return false, nil
		}
	}
	to.ops = from.ops
	return true, nil
}

func (d *Driver) launchGraph(e driver.GraphExec, s driver.Stream) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.execs[e]
	if t == nil {
		return fail("cuGraphLaunch", driver.InvalidHandle, "executable %d", e)
	}
	// An update that follows does not change this launch.
	now := &tape{t.ops}
	return d.queue(s, op{"cuGraphLaunch", uintptr(e), now.run})
}

func remove[K comparable](d *Driver, call string, m map[K]*tape, k K) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m[k] == nil {
		return fail(call, driver.InvalidHandle, "handle %v", k)
	}
	delete(m, k)
	return nil
}
