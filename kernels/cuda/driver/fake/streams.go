package fake

import (
	"strings"

	"artel/kernels/cuda/driver"
)

func (d *Driver) queues() driver.Streams {
	return driver.Streams{
		StreamCreate: func() (driver.Stream, error) {
			if err := d.call("cuStreamCreate", ""); err != nil {
				return 0, err
			}
			s := driver.Stream(d.handle())
			d.streams[s] = nil
			return s, nil
		},
		StreamDestroy: func(s driver.Stream) error {
			if err := d.call("cuStreamDestroy", "%d", s); err != nil {
				return err
			}
			delete(d.streams, s)
			return nil
		},
		StreamSynchronize: func(s driver.Stream) error {
			if err := d.call("cuStreamSynchronize", "%d", s); err != nil {
				return err
			}
			if d.streams[s] != nil {
				return d.refuse(driver.CaptureUnsupported, "stream %d is capturing", s)
			}
			return nil
		},
		StreamWaitEvent: func(s driver.Stream, e driver.Event) error {
			if err := d.call("cuStreamWaitEvent", "%d", s); err != nil {
				return err
			}
			if recorded, ok := d.events[e]; !ok || !recorded {
				return d.refuse(driver.InvalidHandle, "event %d: unknown or never recorded", e)
			}
			return d.queue(s, func() error { return nil })
		},
		EventCreate: func(bool) (driver.Event, error) {
			e := driver.Event(d.handle())
			d.events[e] = false
			return e, d.call("cuEventCreate", "")
		},
		EventDestroy: func(e driver.Event) error {
			delete(d.events, e)
			return d.call("cuEventDestroy", "")
		},
		EventRecord: func(e driver.Event, s driver.Stream) error {
			if err := d.call("cuEventRecord", "stream %d", s); err != nil {
				return err
			}
			d.events[e] = true
			return d.queue(s, func() error { return nil })
		},
		EventSynchronize: func(e driver.Event) error {
			if err := d.call("cuEventSynchronize", ""); err != nil {
				return err
			}
			if !d.events[e] {
				return d.refuse(driver.InvalidHandle, "event %d: unknown or never recorded", e)
			}
			return d.idle()
		},
		EventElapsed: func(from, to driver.Event) (float32, error) { return 1, d.call("cuEventElapsedTime", "") },
		HostFunc:     d.host.Add,
		LaunchHostFunc: func(s driver.Stream, h driver.HostFunc) error {
			if err := d.call("cuLaunchHostFunc", "stream %d", s); err != nil {
				return err
			}
			f := d.host.Find(h)
			if f == nil {
				return d.refuse(driver.InvalidValue, "function %d", h)
			}
			return d.queue(s, func() error {
				f()
				return nil
			})
		},
	}
}

func (d *Driver) recorded() driver.Graphs {
	return driver.Graphs{
		BeginCapture: func(s driver.Stream) error {
			if err := d.call("cuStreamBeginCapture", "%d", s); err != nil {
				return err
			}
			if c, ok := d.streams[s]; !ok || c != nil || s == 0 {
				return d.refuse(driver.InvalidValue, "stream %d: unknown, the default one, or capturing", s)
			}
			d.streams[s] = &capture{}
			return nil
		},
		EndCapture: func(s driver.Stream) (driver.Graph, error) {
			if err := d.call("cuStreamEndCapture", "%d", s); err != nil {
				return 0, err
			}
			c := d.streams[s]
			if c == nil {
				return 0, d.refuse(driver.InvalidValue, "stream %d is not capturing", s)
			}
			d.streams[s] = nil
			g := driver.Graph(d.handle())
			d.graphs[g] = c
			return g, nil
		},
		GraphInstantiate: func(g driver.Graph) (driver.GraphExec, error) {
			if err := d.call("cuGraphInstantiate", ""); err != nil {
				return 0, err
			}
			if d.graphs[g] == nil {
				return 0, d.refuse(driver.InvalidHandle, "graph %d", g)
			}
			x := driver.GraphExec(d.handle())
			d.execs[x] = d.graphs[g]
			return x, nil
		},
		GraphExecUpdate: func(x driver.GraphExec, g driver.Graph) (bool, error) {
			if err := d.call("cuGraphExecUpdate", ""); err != nil {
				return false, err
			}
			old, c := d.execs[x], d.graphs[g]
			if old == nil || c == nil {
				return false, d.refuse(driver.InvalidHandle, "graph %d into %d", g, x)
			}
			if !sameShape(old, c) {
				return false, nil
			}
			d.execs[x] = c
			return true, nil
		},
		GraphLaunch: func(x driver.GraphExec, s driver.Stream) error {
			if err := d.call("cuGraphLaunch", "stream %d", s); err != nil {
				return err
			}
			c := d.execs[x]
			if c == nil {
				return d.refuse(driver.InvalidHandle, "graph %d", x)
			}
			return d.queue(s, func() error {
				for _, n := range c.nodes {
					if err := n.run(); err != nil {
						return err
					}
				}
				return nil
			})
		},
		GraphDestroy: func(g driver.Graph) error {
			delete(d.graphs, g)
			return d.call("cuGraphDestroy", "")
		},
		GraphExecDestroy: func(x driver.GraphExec) error {
			delete(d.execs, x)
			return d.call("cuGraphExecDestroy", "")
		},
	}
}

// sameShape reports whether two graphs have the same kinds of nodes and the same kernels, in order.
func sameShape(a, b *capture) bool {
	if len(a.nodes) != len(b.nodes) {
		return false
	}
	for i := range a.nodes {
		if kind(a.nodes[i].text) != kind(b.nodes[i].text) {
			return false
		}
	}
	return true
}

// kind is the call, and the kernel of a launch.
func kind(text string) string {
	f := strings.Fields(text)
	if f[0] == "cuLaunchKernel" {
		return f[0] + f[1]
	}
	return f[0]
}
