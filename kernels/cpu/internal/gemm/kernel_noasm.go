//go:build (!amd64 && !arm64) || purego

package gemm

// archVariants is empty: this build has plain Go kernels only.
func archVariants() []*Variant { return nil }
