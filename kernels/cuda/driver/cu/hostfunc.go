//go:build cu && cgo

package cu

// #include <stdint.h>
import "C"

import "runtime/cgo"

// artelHostFunc is what the driver calls on a thread of its own for every host function; f stands for the one of Go.
//
//export artelHostFunc
func artelHostFunc(f C.uintptr_t) { cgo.Handle(f).Value().(func())() }
