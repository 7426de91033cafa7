// Package nvtx marks ranges of time for NVIDIA's profilers: nsys shows them by name. Without a profiler a range costs a comparison.
//
// A profiler names a library in the environment variable NVTX_INJECTION64_PATH and asks, through a function of it, for tables of slots, into which it
// writes its own functions (the protocol of the NVTX 3 headers). Nothing is linked for it: the library is opened at run time, without cgo.
package nvtx

// Env is the environment variable in which a profiler names its library.
const Env = "NVTX_INJECTION64_PATH"

// Name is the name of a range, kept as C wants it.
type Name struct{ text []byte }

// New makes a name. It allocates; names that come round are made once.
func New(s string) *Name { return &Name{append([]byte(s), 0)} }

// String returns the name.
func (n *Name) String() string { return string(n.text[:len(n.text)-1]) }
