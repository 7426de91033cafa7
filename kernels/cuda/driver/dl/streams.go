//go:build !nocuda && linux && (amd64 || arm64)

package dl

import (
	"artel/kernels/cuda/driver"

	"github.com/ebitengine/purego"
)

// Flags of streams, events and capture.
const (
	streamNonBlocking  = 1
	eventDisableTiming = 2
	captureRelaxed     = 2
)

func (l *library) streams() driver.Streams {
	create, destroy, synchronize, wait := l.find("cuStreamCreate"), l.find("cuStreamDestroy_v2"), l.find("cuStreamSynchronize"), l.find("cuStreamWaitEvent")
	event, eventDestroy, record := l.find("cuEventCreate"), l.find("cuEventDestroy_v2"), l.find("cuEventRecord")
	eventSynchronize, elapsed := l.find("cuEventSynchronize"), l.find("cuEventElapsedTime")
	launch := l.find("cuLaunchHostFunc")
	host := purego.NewCallback(func(f uintptr) { l.host.Find(driver.HostFunc(f))() }) // one for all: callbacks last as long as the process
	return driver.Streams{
		StreamCreate: func() (driver.Stream, error) {
			var s uintptr
			err := create.call(uintptr(addr(&s)), streamNonBlocking)
			return driver.Stream(s), err
		},
		StreamDestroy:     func(s driver.Stream) error { return destroy.call(uintptr(s)) },
		StreamSynchronize: func(s driver.Stream) error { return synchronize.call(uintptr(s)) },
		StreamWaitEvent:   func(s driver.Stream, e driver.Event) error { return l.queue(wait, uintptr(s), uintptr(e), 0, 0) },
		EventCreate: func(timing bool) (driver.Event, error) {
			var e, flags uintptr
			if !timing {
				flags = eventDisableTiming
			}
			err := event.call(uintptr(addr(&e)), flags)
			return driver.Event(e), err
		},
		EventDestroy:     func(e driver.Event) error { return eventDestroy.call(uintptr(e)) },
		EventRecord:      func(e driver.Event, s driver.Stream) error { return l.queue(record, uintptr(e), uintptr(s), 0, 0) },
		EventSynchronize: func(e driver.Event) error { return eventSynchronize.call(uintptr(e)) },
		EventElapsed: func(from, to driver.Event) (float32, error) {
			var ms float32
			err := elapsed.call(uintptr(addr(&ms)), uintptr(from), uintptr(to))
			return ms, err
		},
		HostFunc: l.host.Add,
		LaunchHostFunc: func(s driver.Stream, f driver.HostFunc) error {
			return l.queue(launch, uintptr(s), host, uintptr(f), 0)
		},
	}
}

func (l *library) graphs() driver.Graphs {
	begin, end := l.find("cuStreamBeginCapture_v2"), l.find("cuStreamEndCapture")
	instantiate, launch := l.find("cuGraphInstantiateWithFlags"), l.find("cuGraphLaunch")
	destroy, execDestroy := l.find("cuGraphDestroy"), l.find("cuGraphExecDestroy")
	return driver.Graphs{
		BeginCapture: func(s driver.Stream) error { return begin.call(uintptr(s), captureRelaxed) },
		EndCapture: func(s driver.Stream) (driver.Graph, error) {
			var g uintptr
			err := end.call(uintptr(s), uintptr(addr(&g)))
			return driver.Graph(g), err
		},
		GraphInstantiate: func(g driver.Graph) (driver.GraphExec, error) {
			var x uintptr
			err := instantiate.call(uintptr(addr(&x)), uintptr(g), 0)
			return driver.GraphExec(x), err
		},
		GraphExecUpdate:  l.update(),
		GraphLaunch:      func(x driver.GraphExec, s driver.Stream) error { return l.queue(launch, uintptr(x), uintptr(s), 0, 0) },
		GraphDestroy:     func(g driver.Graph) error { return destroy.call(uintptr(g)) },
		GraphExecDestroy: func(x driver.GraphExec) error { return execDestroy.call(uintptr(x)) },
	}
}

// update returns the call that changes an executable graph; CUDA 12 gave it another signature.
func (l *library) update() func(driver.GraphExec, driver.Graph) (bool, error) {
	same := func(err error) (bool, error) {
		if driver.Is(err, driver.GraphUpdateFailure) {
			return false, nil
		}
		return err == nil, err
	}
	if f := l.maybe("cuGraphExecUpdate_v2"); f.addr != 0 {
		return func(x driver.GraphExec, g driver.Graph) (bool, error) {
			var result [3]uint64 // what did not fit, and two nodes
			return same(f.call(uintptr(x), uintptr(g), uintptr(addr(&result))))
		}
	}
	f := l.find("cuGraphExecUpdate")
	return func(x driver.GraphExec, g driver.Graph) (bool, error) {
		var node uintptr
		var result int32
		return same(f.call(uintptr(x), uintptr(g), uintptr(addr(&node)), uintptr(addr(&result))))
	}
}
