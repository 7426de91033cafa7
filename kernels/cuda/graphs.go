package cuda

import (
	"os"
	"slices"

	"artel/internal/nvtx"
	"artel/kernels/cuda/driver"
)

// GraphsEnv is the environment variable that says whether kernels reach the device as graphs, where what is queued between two waits is one launch: 1 or 0. Unset, they
// do, unless a profiler listens: it shows a graph as one piece, outside of the ranges of its parts.
const GraphsEnv = "ARTEL_GRAPHS"

// useGraphs reads the environment.
func useGraphs() bool {
	switch os.Getenv(GraphsEnv) {
	case "0":
		return false
	case "1":
		return true
	}
	return !nvtx.Active()
}

// mostGraphs is the number of graphs that are kept; steps of other shapes make new ones in their place.
const mostGraphs = 64

// graphs records kernels instead of queueing them, one by one, until something has to wait for them or go between them. A recording with the same
// kernels in the same order as an earlier one updates the graph of that one: parameters and grids may differ.
type graphs struct {
	on        bool
	recording bool
	kernels   uint64 // hash of the recorded work in order
	known     map[uint64]driver.GraphExec
	order     []uint64 // keys of known, the oldest first
}

// What a recording holds beside kernels, for record: an upload, a function of the host.
const uploadWork, hostWork = 1, 2

// record begins a recording where none is under way, and notes a piece of work: a kernel, a copy, or a function of the host.
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
	defer func() { d.fail(d.api.GraphDestroy(graph)) }()
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
			g.drop(g.kernels)
			return
		}
		g.keep(exec, func(old driver.GraphExec) { d.fail(d.api.GraphExecDestroy(old)) })
	}
	d.fail(d.api.GraphLaunch(exec, d.stream))
}

// keep remembers the graph of the recording, and destroys the oldest one when there are too many; a launch of it that is under way ends first.
func (g *graphs) keep(exec driver.GraphExec, destroy func(driver.GraphExec)) {
	if _, ok := g.known[g.kernels]; !ok {
		g.order = append(g.order, g.kernels)
	}
	g.known[g.kernels] = exec
	for len(g.order) > mostGraphs {
		destroy(g.known[g.order[0]])
		g.drop(g.order[0])
	}
}

func (g *graphs) drop(key uint64) {
	delete(g.known, key)
	if i := slices.Index(g.order, key); i >= 0 {
		g.order = slices.Delete(g.order, i, i+1)
	}
}
