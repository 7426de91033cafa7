package roofline

import (
	"artel/kernels/cuda/emu"
)

// Work is what the launches of one kernel did for one op of a model.
type Work struct {
	Op, File, Kernel string
	Launches         int
	Counters         emu.Counters // the sum of all launches
	// Minimum is the bytes that the op must move at least, and Touched the bytes that all of its kernels touched; the first kernel of an op has them, others 0.
	Minimum, Touched uint64
	// FLOPs is the arithmetic of the op's products as a formula counts it, given to the first kernel.
	FLOPs uint64
	// Threads of a block, and its bytes of shared memory, static and dynamic.
	Threads, BlockShared int

	bounds [][]Part // by machine: seconds by the unit that bounds a launch
}

// Add counts launches that ran one after another with those before them: their times add up, and each has its own bound.
func (k *Work) Add(launches int, c emu.Counters) {
	k.Launches += launches
	k.Counters.Add(c)
	machines := Machines()
	if k.bounds == nil {
		k.bounds = make([][]Part, len(machines))
	}
	for i := range machines {
		e := machines[i].Estimate(&c)
		k.bounds[i] = addPart(k.bounds[i], e.Bound())
	}
}

func addPart(to []Part, p Part) []Part {
	for i := range to {
		if to[i].Unit == p.Unit {
			to[i].Seconds += p.Seconds
			return to
		}
	}
	return append(to, p)
}

// Bound is the time of all launches on a machine of Machines, and the unit that bounds most of it.
func (k *Work) Bound(machine int) Part {
	var sum, top Part
	if k.bounds == nil {
		return sum
	}
	for _, p := range k.bounds[machine] {
		sum.Seconds += p.Seconds
		if p.Seconds >= top.Seconds {
			top = p
		}
	}
	return Part{top.Unit, sum.Seconds}
}

// TensorShare is the share of what a machine's tensor cores could do in the time of the bound that the formula's arithmetic takes, 0 for kernels without.
func (k *Work) TensorShare(machine int) float64 {
	m := &Machines()[machine]
	if t := k.Bound(machine).Seconds; t > 0 && k.Counters.TensorFLOPs > 0 {
		return float64(k.FLOPs) / t / (m.Tensor * 1e12)
	}
	return 0
}
