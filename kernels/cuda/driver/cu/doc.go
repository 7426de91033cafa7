// Package cu is the CUDA driver through gorgonia.org/cu, a binding that links libcuda with cgo; the build tag cu asks for it. What that package lacks
// (large dynamic shared memory, launches without allocation, pools, page-locked memory, capture, tensor maps) is bound beside it.
//
// gorgonia.org/cu initialises the driver when it is imported and ends the process where that fails, so a program built with the tag runs only where
// there is a GPU. Package dl has neither limit and is the default.
package cu
