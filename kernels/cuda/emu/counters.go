package emu

// Class is a group of instructions that the same unit of a multiprocessor executes.
type Class uint8

// The classes.
const (
	Integer Class = iota
	Float32
	Float64
	Half    // packed and single 16-bit floating point
	Special // ex2, lg2, rcp, rsqrt, sin, cos, tanh, division
	Convert
	Move    // mov, selp, address conversion
	Compare // setp, set, logic of predicates
	Branch
	GlobalMem
	SharedMem
	OtherMem // local, constant, parameter
	Atomic
	Warp    // shuffles, votes, matches
	Barrier // barriers, fences, waits
	Matrix  // mma, wgmma, ldmatrix is SharedMem
	Async   // cp.async, TMA
	Other
	classes
)

var classNames = [...]string{"integer", "float32", "float64", "half", "special", "convert", "move", "compare", "branch", "global", "shared", "other memory",
	"atomic", "warp", "barrier", "matrix", "async", "other"}

// String returns the name of the class.
func (c Class) String() string { return classNames[c] }

// Counters is what a launch did. Counts are exact and do not depend on the number of workers, except where the kernel's own control flow depends on the order of blocks.
type Counters struct {
	Blocks  uint64
	Warps   uint64          // warp instructions issued
	Threads uint64          // thread instructions: lanes that executed, summed
	ByClass [classes]uint64 // thread instructions
	// TensorFLOPs is the work of mma and wgmma: two per multiply-add.
	TensorFLOPs uint64
	// AsyncBytes is what TMA copies moved between global and shared memory.
	AsyncBytes uint64
	// GlobalRequests, GlobalSectors, GlobalBytes count warp-wide accesses of global memory, the 32-byte sectors they touch and the bytes their lanes ask for (Profile).
	GlobalRequests, GlobalSectors, GlobalBytes uint64
	// Footprint is the bytes of the distinct 32-byte sectors of device memory that the launch read plus those of the sectors it wrote: what must move at least once (Profile). Launches at the same time share the count.
	Footprint uint64
	// SharedRequests counts warp-wide accesses of shared memory, SharedWavefronts the passes they take through the 32 banks (Profile); their
	// difference per request of at most 128 bytes is the number of bank conflicts.
	SharedRequests, SharedWavefronts, SharedIdeal uint64

	profile bool
}

// Add adds the counts of another launch.
func (c *Counters) Add(o Counters) {
	c.Blocks += o.Blocks
	c.Warps += o.Warps
	c.Threads += o.Threads
	for i := range c.ByClass {
		c.ByClass[i] += o.ByClass[i]
	}
	c.TensorFLOPs += o.TensorFLOPs
	c.AsyncBytes += o.AsyncBytes
	c.GlobalRequests += o.GlobalRequests
	c.GlobalSectors += o.GlobalSectors
	c.GlobalBytes += o.GlobalBytes
	c.Footprint += o.Footprint
	c.SharedRequests += o.SharedRequests
	c.SharedWavefronts += o.SharedWavefronts
	c.SharedIdeal += o.SharedIdeal
}

// Since returns what was added after o.
func (c Counters) Since(o Counters) Counters {
	for i := range c.ByClass {
		c.ByClass[i] -= o.ByClass[i]
	}
	c.Blocks -= o.Blocks
	c.Warps -= o.Warps
	c.Threads -= o.Threads
	c.TensorFLOPs -= o.TensorFLOPs
	c.AsyncBytes -= o.AsyncBytes
	c.GlobalRequests -= o.GlobalRequests
	c.GlobalSectors -= o.GlobalSectors
	c.GlobalBytes -= o.GlobalBytes
	c.Footprint -= o.Footprint
	c.SharedRequests -= o.SharedRequests
	c.SharedWavefronts -= o.SharedWavefronts
	c.SharedIdeal -= o.SharedIdeal
	return c
}

// BankConflicts returns the wavefronts beyond those that the bytes alone need.
func (c *Counters) BankConflicts() uint64 { return c.SharedWavefronts - c.SharedIdeal }

// Classes returns the thread instructions by the name of their class, without those of which there were none.
func (c *Counters) Classes() map[string]uint64 {
	out := map[string]uint64{}
	for i, n := range c.ByClass {
		if n > 0 {
			out[classNames[i]] = n
		}
	}
	return out
}
