// Package cuda is the backend for NVIDIA devices, on any driver of package kernels/cuda/driver: the library of the system, the emulator, or the recording
// fake of the tests.
//
// Ops queue kernels on one stream and return; Sync waits, and returns the first error since the last one, which no op reports itself. Memory of Alloc is the
// device's own; memory of AllocShared is page-locked on the host and reached from both sides, for the small tables that the host writes or reads. Copy between
// the host and the device is the only op that waits for the device (when it reads from it).
//
// Kernels come as PTX: NAME.sm_80.ptx serves every device of compute capability 8.0 or later, NAME.sm_90a.ptx, where there is one, replaces it on 9.0.
package cuda
