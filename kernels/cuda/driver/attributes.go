package driver

import "fmt"

// Attribute is a number of a device (CUdevice_attribute).
type Attribute int32

// The attributes that the backend reads.
const (
	MaxThreadsPerBlock      Attribute = 1
	MaxGridX                Attribute = 5
	MaxGridY                Attribute = 6
	WarpSize                Attribute = 10
	ClockRate               Attribute = 13 // kHz
	Multiprocessors         Attribute = 16
	CanMapHostMemory        Attribute = 19
	ComputeMode             Attribute = 20
	MemoryClockRate         Attribute = 36 // kHz
	MemoryBusWidth          Attribute = 37 // bits
	L2CacheSize             Attribute = 38
	ThreadsPerMultiproc     Attribute = 39
	UnifiedAddressing       Attribute = 41
	ComputeCapabilityMajor  Attribute = 75
	ComputeCapabilityMinor  Attribute = 76
	SharedPerMultiprocessor Attribute = 81
	SharedPerBlockOptin     Attribute = 97
	MemoryPoolsSupported    Attribute = 115
)

// FuncAttribute is a number of a kernel (CUfunction_attribute).
type FuncAttribute int32

// The attributes of kernels.
const (
	FuncMaxThreads     FuncAttribute = 0
	FuncStaticShared   FuncAttribute = 1
	FuncConst          FuncAttribute = 2
	FuncLocal          FuncAttribute = 3 // bytes per thread: spills and stack
	FuncRegisters      FuncAttribute = 4
	FuncPTXVersion     FuncAttribute = 5 // 10*major + minor
	FuncBinaryVersion  FuncAttribute = 6
	FuncMaxDynShared   FuncAttribute = 8 // can be set, up to SharedPerBlockOptin less static
	FuncSharedCarveout FuncAttribute = 9 // can be set, percent of the L1 for shared memory
)

// Capability is a compute capability, 10*major + minor: 80 is an A100, 90 an H100.
type Capability int

// String writes 9.0.
func (c Capability) String() string { return fmt.Sprintf("%d.%d", int(c)/10, int(c)%10) }

// CapabilityOf asks a device for its compute capability.
func (a *API) CapabilityOf(d Device) (Capability, error) {
	major, err := a.DeviceAttribute(ComputeCapabilityMajor, d)
	if err != nil {
		return 0, err
	}
	minor, err := a.DeviceAttribute(ComputeCapabilityMinor, d)
	return Capability(10*major + minor), err
}
