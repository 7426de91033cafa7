package driver

import (
	"errors"
	"fmt"
)

// Code is a result of the driver (CUresult).
type Code int32

// The results that the code tells apart.
const (
	Success             Code = 0
	InvalidValue        Code = 1
	OutOfMemory         Code = 2
	NotInitialized      Code = 3
	NoDevice            Code = 100
	InvalidDevice       Code = 101
	InvalidImage        Code = 200
	InvalidContext      Code = 201
	NoBinaryForGPU      Code = 209
	InvalidPTX          Code = 218
	UnsupportedPTX      Code = 222
	InvalidHandle       Code = 400
	NotFound            Code = 500
	NotReady            Code = 600
	IllegalAddress      Code = 700
	LaunchOutOfResource Code = 701
	LaunchTimeout       Code = 702
	HardwareStack       Code = 714
	IllegalInstruction  Code = 715
	MisalignedAddress   Code = 716
	LaunchFailed        Code = 719
	NotSupported        Code = 801
	CaptureUnsupported  Code = 900
	CaptureInvalidated  Code = 901
	GraphUpdateFailure  Code = 910
	Unknown             Code = 999
)

// codeNames are the names of the CUDA headers.
var codeNames = map[Code]string{
	Success: "CUDA_SUCCESS", InvalidValue: "CUDA_ERROR_INVALID_VALUE", OutOfMemory: "CUDA_ERROR_OUT_OF_MEMORY",
	NotInitialized: "CUDA_ERROR_NOT_INITIALIZED", 4: "CUDA_ERROR_DEINITIALIZED", 34: "CUDA_ERROR_STUB_LIBRARY",
	46: "CUDA_ERROR_DEVICE_UNAVAILABLE", NoDevice: "CUDA_ERROR_NO_DEVICE", InvalidDevice: "CUDA_ERROR_INVALID_DEVICE",
	InvalidImage: "CUDA_ERROR_INVALID_IMAGE", InvalidContext: "CUDA_ERROR_INVALID_CONTEXT", NoBinaryForGPU: "CUDA_ERROR_NO_BINARY_FOR_GPU",
	214: "CUDA_ERROR_ECC_UNCORRECTABLE", InvalidPTX: "CUDA_ERROR_INVALID_PTX", 221: "CUDA_ERROR_JIT_COMPILER_NOT_FOUND",
	UnsupportedPTX: "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", 304: "CUDA_ERROR_OPERATING_SYSTEM", InvalidHandle: "CUDA_ERROR_INVALID_HANDLE",
	401: "CUDA_ERROR_ILLEGAL_STATE", NotFound: "CUDA_ERROR_NOT_FOUND", NotReady: "CUDA_ERROR_NOT_READY",
	IllegalAddress: "CUDA_ERROR_ILLEGAL_ADDRESS", LaunchOutOfResource: "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES",
	LaunchTimeout: "CUDA_ERROR_LAUNCH_TIMEOUT", 709: "CUDA_ERROR_CONTEXT_IS_DESTROYED", 710: "CUDA_ERROR_ASSERT",
	HardwareStack: "CUDA_ERROR_HARDWARE_STACK_ERROR", IllegalInstruction: "CUDA_ERROR_ILLEGAL_INSTRUCTION",
	MisalignedAddress: "CUDA_ERROR_MISALIGNED_ADDRESS", 717: "CUDA_ERROR_INVALID_ADDRESS_SPACE", 718: "CUDA_ERROR_INVALID_PC",
	LaunchFailed: "CUDA_ERROR_LAUNCH_FAILED", 800: "CUDA_ERROR_NOT_PERMITTED", NotSupported: "CUDA_ERROR_NOT_SUPPORTED",
	802: "CUDA_ERROR_SYSTEM_NOT_READY", 803: "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", 804: "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE",
	CaptureUnsupported: "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", CaptureInvalidated: "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED",
	902: "CUDA_ERROR_STREAM_CAPTURE_MERGE", 903: "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED", 904: "CUDA_ERROR_STREAM_CAPTURE_UNJOINED",
	905: "CUDA_ERROR_STREAM_CAPTURE_ISOLATION", 906: "CUDA_ERROR_STREAM_CAPTURE_IMPLICIT", 907: "CUDA_ERROR_CAPTURED_EVENT",
	908: "CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD", 909: "CUDA_ERROR_TIMEOUT", GraphUpdateFailure: "CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE",
	Unknown: "CUDA_ERROR_UNKNOWN",
}

// String returns the name that the CUDA headers give a result.
func (c Code) String() string {
	if n := codeNames[c]; n != "" {
		return n
	}
	return fmt.Sprintf("CUDA error %d", int32(c))
}

// Error is a call that the driver refused.
type Error struct {
	Call string // name of the function, with the prefix cu
	Code Code
	Log  string // what the compiler of the driver said, or other detail
}

// Error names the call, the result, and the detail.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s: %v", e.Call, e.Code)
	if e.Log != "" {
		s += ": " + e.Log
	}
	return s
}

// Check turns the result of a call into an error, nil for success.
func Check(call string, code int32) error {
	if code == 0 {
		return nil
	}
	return &Error{Call: call, Code: Code(code)}
}

// Is reports whether err comes from the driver with the given result.
func Is(err error, c Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == c
}
