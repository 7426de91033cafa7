package cuda

import "artel/kernels/cuda/driver"

// GraphsEnv is the environment variable that, set to 1, makes the backend hand kernels to the device as graphs: what is queued between two waits is one launch.
const GraphsEnv = "ARTEL_GRAPHS"

// graphs records kernels instead of queueing them, one by one, until something has to wait for them or go between them. A recording with the same
// kernels in the same order as an earlier one updates the graph of that one: parameters and grids may differ.
type graphs struct {
	on        bool
	recording bool
	kernels   uint64 // hash of the recorded work in order
	known     map[uint64]driver.GraphExec
}

// record begins a recording where none is under way, and notes a piece of work: a kernel, or a copy.
func (d *device) record(work uint64) {
	g := &d.graphs
	d.tickets.behind = true
	if !g.on {
		return
	}
	if !g.recording {
		d.fail(d.api.BeginCapture(d.stream))
		g.recording, g.kernels = true, 14695981039346656037
	}
	g.kernels = (g.kernels ^ work) * 1099511628211 // FNV-1a by words
}

// flush launches what is recorded. Whatever is not a kernel calls it first.
func (d *device) flush() {
	g := &d.graphs
	if !g.recording {
		return
	}
	g.recording = false
	graph, err := d.api.EndCapture(d.stream)
	if err != nil {
		d.fail(err)
		return
	}
	exec, ok := g.known[g.kernels]
	if ok {
		if ok, err = d.api.GraphExecUpdate(exec, graph); err != nil {
			d.fail(err)
		}
		if !ok {
			d.fail(d.api.GraphExecDestroy(exec))
		}
	}
	if !ok {
		if exec, err = d.api.GraphInstantiate(graph); err != nil {
			d.fail(err)
			delete(g.known, g.kernels)
			return
		}
		g.known[g.kernels] = exec
	}
	d.fail(d.api.GraphLaunch(exec, d.stream))
	d.fail(d.api.GraphDestroy(graph))
}
