// Package gemm multiplies float32 matrices with any strides.
//
// The right operand is packed into panels of Panel columns, [k][Panel], padded with zeros; the left operand is read in place, one
// broadcast per element. A micro-kernel computes MR rows by one panel with all sums in registers. Work is cut over panels and row
// blocks, never over k, so results do not depend on the number of workers.
//
// Kernels: AVX-512 (12 x 32), AVX2 and NEON (6 x 16, twice per panel) in assembly made by asmgen, and plain Go. All variants are in
// Variants; the best one that the processor runs is picked at start-up.
package gemm

//go:generate go run ./asmgen
