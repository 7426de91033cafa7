// Package gpumodel runs models on the emulated GPU and reports what their kernels did and what bounds them on real ones: `train bench --emulate`.
package gpumodel

import (
	"fmt"
	"slices"

	"artel/dtype"
	"artel/engine"
	"artel/internal/observe"
	"artel/kernels"
	"artel/kernels/cuda"
	"artel/kernels/cuda/emu"
	"artel/kernels/cuda/emu/provider"
	"artel/kernels/cuda/emu/roofline"

	"github.com/pkg/errors"
)

// Section is the work of one part of a model.
type Section struct {
	Title string
	Work  []roofline.Work
}

// recorder counts what the kernels of every op do.
type recorder struct {
	drv  *provider.Driver
	be   *kernels.Backend
	on   bool
	last map[[2]string]provider.Kernel
	work []roofline.Work
}

// open returns an emulated device of ten times the compute capability, watched from start on.
func open(capability int, products dtype.Type) (*kernels.Backend, *recorder, error) {
	r := &recorder{drv: provider.New(emu.Options{Profile: true, Capability: capability}), last: map[[2]string]provider.Kernel{}}
	be, _, err := cuda.OpenOn(r.drv.API(), 0, products)
	if err != nil {
		return nil, nil, err
	}
	r.be = be
	return observe.Backend(be, r.op), r, nil
}

// start begins to count.
func (r *recorder) start() {
	r.on = true
	for _, k := range r.drv.Kernels() {
		r.last[[2]string{k.File, k.Name}] = k
	}
}

// op runs an op and counts what its kernels did.
func (r *recorder) op(op observe.Op, run func()) {
	run()
	r.be.Submit() // kernels go to the device as graphs, later than their ops return
	if !r.on {
		return
	}
	first := true
	var lead *roofline.Work
	for _, k := range r.drv.Kernels() {
		id := [2]string{k.File, k.Name}
		was := r.last[id]
		if k.Launches == was.Launches {
			continue
		}
		r.last[id] = k
		w := r.entry(op.Name, k)
		c := k.Counters.Since(was.Counters)
		w.Add(k.Launches-was.Launches, c)
		w.Threads, w.BlockShared = k.Threads, k.Shared
		if first {
			w.Minimum += uint64(op.Bytes())
			w.FLOPs += uint64(op.FLOPs())
			lead, first = w, false
		}
		lead.Touched += c.Footprint
	}
}

// entry finds the line of a kernel in an op.
func (r *recorder) entry(op string, k provider.Kernel) *roofline.Work {
	i := slices.IndexFunc(r.work, func(w roofline.Work) bool { return w.Op == op && w.File == k.File && w.Kernel == k.Name })
	if i < 0 {
		i = len(r.work)
		r.work = append(r.work, roofline.Work{Op: op, File: k.File, Kernel: k.Name})
	}
	return &r.work[i]
}

// Step is the first training step of a config with the given number of rows.
func Step(cfg engine.Config, rows, capability int) (Section, error) {
	products := dtype.F32
	if cfg.Precision == "bf16" {
		products = dtype.BF16
	}
	if rows < 1 || rows%cfg.Accumulate != 0 {
		return Section{}, errors.Errorf("%d rows; want a positive multiple of accumulate: %d", rows, cfg.Accumulate)
	}
	cfg.Batch = rows
	be, r, err := open(capability, products)
	if err != nil {
		return Section{}, err
	}
	e, err := engine.New(&cfg, be)
	if err != nil {
		return Section{}, err
	}
	defer e.Close()
	r.start()
	if err := e.Step(); err != nil {
		return Section{}, err
	}
	title := fmt.Sprintf("A training step: %d rows, %d parameters, %d tasks, surgery %s, precision %s", rows, e.Set.Count(), len(e.TaskNames()), cfg.Surgery.Method.Name, cfg.Precision)
	return Section{title, r.work}, be.Sync()
}
