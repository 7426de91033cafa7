// Package tensor describes memory: element type, shape, strides and a storage handle that lives on the host or on a
// device. It does no arithmetic; package kernels does.
//
// A Tensor is a small value. Copying one copies the description, never the elements. Shapes have at most MaxRank
// dimensions, so a Tensor needs no allocation of its own.
package tensor
