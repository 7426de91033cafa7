//go:build !purego

package gemm

import "golang.org/x/sys/cpu"

// archVariants lists the assembly variants that this processor runs.
func archVariants() []*Variant {
	var vs []*Variant
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL {
		v := *avx512
		if cpu.X86.HasAVX512BF16 {
			v.half = bf16()
		}
		vs = append(vs, &v)
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		vs = append(vs, avx2)
	}
	return vs
}

var (
	avx512 = &Variant{Name: "avx512", mr: 12, relu: true, pack: true, run: run512, wide: avx512wide, copyRows: copyRows512, copyTiles: copyTiles512, transpose: transposePanel512, fetch: fetchRows, touch: walkRows}
	avx2   = &Variant{Name: "avx2", mr: 6, run: run2, copyRows: copyRows, transpose: transposePanel, fetch: fetchRows, touch: walkRows}
)

//go:noescape
func avx512x1(t *tile)

//go:noescape
func avx512x2(t *tile)

//go:noescape
func avx512x3(t *tile)

//go:noescape
func avx512x4(t *tile)

//go:noescape
func avx512x5(t *tile)

//go:noescape
func avx512x6(t *tile)

//go:noescape
func avx512x7(t *tile)

//go:noescape
func avx512x8(t *tile)

//go:noescape
func avx512x9(t *tile)

//go:noescape
func avx512x10(t *tile)

//go:noescape
func avx512x11(t *tile)

//go:noescape
func avx512x12(t *tile)

//go:noescape
func avx512wide(t *tile)

//go:noescape
func avx2x1(t *tile)

//go:noescape
func avx2x2(t *tile)

//go:noescape
func avx2x3(t *tile)

//go:noescape
func avx2x4(t *tile)

//go:noescape
func avx2x5(t *tile)

//go:noescape
func avx2x6(t *tile)

func run512(t *tile, mr, nr int) {
	t.mask = 1<<nr - 1
	switch mr {
	case 12:
		avx512x12(t)
	case 11:
		avx512x11(t)
	case 10:
		avx512x10(t)
	case 9:
		avx512x9(t)
	case 8:
		avx512x8(t)
	case 7:
		avx512x7(t)
	case 6:
		avx512x6(t)
	case 5:
		avx512x5(t)
	case 4:
		avx512x4(t)
	case 3:
		avx512x3(t)
	case 2:
		avx512x2(t)
	case 1:
		avx512x1(t)
	}
}

func run2(t *tile, mr, nr int) { byHalves(t, mr, nr) }

func callHalf(t *tile, mr int) {
	switch mr {
	case 6:
		avx2x6(t)
	case 5:
		avx2x5(t)
	case 4:
		avx2x4(t)
	case 3:
		avx2x3(t)
	case 2:
		avx2x2(t)
	case 1:
		avx2x1(t)
	}
}
