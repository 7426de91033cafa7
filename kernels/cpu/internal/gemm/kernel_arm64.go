//go:build !purego

package gemm

// archVariants lists the assembly variant: every arm64 processor has these instructions.
func archVariants() []*Variant {
	return []*Variant{{Name: "neon", mr: 6, run: runNeon, copyRows: copyRows, transpose: transposePanel}}
}

//go:noescape
func neonx1(t *tile)

//go:noescape
func neonx2(t *tile)

//go:noescape
func neonx3(t *tile)

//go:noescape
func neonx4(t *tile)

//go:noescape
func neonx5(t *tile)

//go:noescape
func neonx6(t *tile)

func runNeon(t *tile, mr, nr int) { byHalves(t, mr, nr) }

func callHalf(t *tile, mr int) {
	switch mr {
	case 6:
		neonx6(t)
	case 5:
		neonx5(t)
	case 4:
		neonx4(t)
	case 3:
		neonx3(t)
	case 2:
		neonx2(t)
	case 1:
		neonx1(t)
	}
}
