// Package roofline estimates from what the emulator counted how long a kernel would take on a device: the time of the busiest of its units, as if the others worked
// beside it for nothing. It is a bound and a guide to what limits a kernel, not a prediction: latencies, launch overhead and caches but for perfect reuse are left out.
package roofline

import "artel/kernels/cuda/emu"

// Machine is a device by the rates of its units; rates per clock are per multiprocessor.
type Machine struct {
	Name   string
	SMs    int
	Clock  float64 // GHz
	Memory float64 // GB/s of device memory
	Tensor float64 // TFLOP/s of bf16 with float32 accumulation, dense
	// Lanes a clock.
	Float32, Float64, Int, Special, Convert float64
	Issue                                   float64 // warp instructions a clock
	L2                                      float64 // bytes a clock between a multiprocessor and the second-level cache
	SharedKiB                               int     // shared memory of a multiprocessor
}

// Machines returns the devices that reports cover. Sources: the vendor's data sheets for memory and tensor rates, the throughput table of the CUDA programming guide for
// lanes; the clock is the one at which the data sheet's tensor rate holds.
func Machines() []Machine {
	return []Machine{
		{"A100-SXM-80GB", 108, 1.41, 2039, 312, 64, 32, 64, 16, 16, 4, 64, 164},
		{"H100-SXM", 132, 1.83, 3350, 989, 128, 64, 64, 16, 64, 4, 64, 228},
		{"H200-SXM", 132, 1.83, 4800, 989, 128, 64, 64, 16, 64, 4, 64, 228},
	}
}

// Part is the time that one unit needs.
type Part struct {
	Unit    string
	Seconds float64
}

// Estimate is what a launch needs on a machine.
type Estimate struct {
	Parts []Part // longest first
}

// Bound returns the unit that limits and its time in seconds.
func (e *Estimate) Bound() Part { return e.Parts[0] }

// Estimate bounds the time of launches that did c, counted with Options.Profile, in seconds. Blocks are spread evenly; the multiprocessor with most of them counts.
func (m *Machine) Estimate(c *emu.Counters) Estimate {
	// Work per multiprocessor is that of the fullest one.
	share := 1.0
	if c.Blocks > 0 {
		sms := uint64(m.SMs)
		share = float64((c.Blocks+sms-1)/sms) / float64(c.Blocks)
	}
	clocks := func(work, rate float64) float64 { return work * share / rate / (m.Clock * 1e9) }
	class := func(k emu.Class) float64 { return float64(c.ByClass[k]) }
	tensor := m.Tensor * 1e3 / float64(m.SMs) / m.Clock // FLOP a clock
	parts := []Part{
		{"device memory", float64(c.Footprint) / (m.Memory * 1e9)},
		{"second-level cache", clocks(float64(c.GlobalSectors)*32, m.L2)},
		{"shared memory", clocks(float64(c.SharedWavefronts), 1)},
		{"issue", clocks(float64(c.Warps), m.Issue)},
		{"tensor cores", clocks(float64(c.TensorFLOPs), tensor)},
		{"float32", clocks(class(emu.Float32)+class(emu.Half)/2, m.Float32)},
		{"float64", clocks(class(emu.Float64), m.Float64)},
		{"integer", clocks(class(emu.Integer)+class(emu.Compare)+class(emu.Move)/2, m.Int)},
		{"special functions", clocks(class(emu.Special), m.Special)},
		{"conversions", clocks(class(emu.Convert), m.Convert)},
	}
	for i := range parts {
		for j := i; j > 0 && parts[j].Seconds > parts[j-1].Seconds; j-- {
			parts[j], parts[j-1] = parts[j-1], parts[j]
		}
	}
	return Estimate{parts}
}
