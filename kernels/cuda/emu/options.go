package emu

import (
	"io"
	"os"
	"runtime"
)

// Options says what device to build. The zero value is a fast device of compute capability 9.0 without checks beyond memory safety.
type Options struct {
	// Workers is the number of blocks that run at a time; 0 for GOMAXPROCS.
	Workers int
	// Sanitize turns on the detectors of uninitialised reads, shared-memory races, missing proxy fences and leaks.
	Sanitize bool
	// GlobalRaces, with Sanitize, looks for blocks of one launch that touch the same device memory, one of them writing, without atomics: their result would depend on the order of blocks.
	GlobalRaces bool
	// Profile turns on the counters of sectors and bank conflicts.
	Profile bool
	// MemoryBytes is the size of the device memory; 0 for 8 GiB.
	MemoryBytes int64
	// Capability is ten times the compute capability: 80 or 90; 0 for 90. Code for a later one is refused.
	Capability int
	// MaxSteps bounds the warp instructions of one block, so that an endless loop is an error; 0 for 2^36.
	MaxSteps uint64
	// Output gets what kernels print; nil for standard output.
	Output io.Writer
}

func (o Options) filled() Options {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.MemoryBytes <= 0 {
		o.MemoryBytes = 8 << 30
	}
	if o.Capability == 0 {
		o.Capability = 90
	}
	if o.MaxSteps == 0 {
		o.MaxSteps = 1 << 36
	}
	if o.Output == nil {
		o.Output = os.Stdout
	}
	return o
}

// SharedLimit returns the largest shared memory of one block in bytes: 163 KiB on 8.0, 227 KiB on 9.0.
func (d *Device) SharedLimit() int {
	if d.opts.Capability < 90 {
		return 163 << 10
	}
	return 227 << 10
}

// Capability returns ten times the compute capability.
func (d *Device) Capability() int { return d.opts.Capability }
